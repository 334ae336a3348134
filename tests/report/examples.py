"""Nets that the tests of reports look at."""

from __future__ import annotations

from netwright import (
    BatchNorm,
    Cat,
    Conv,
    GlobalAvgPool,
    Graph,
    Linear,
    MaxPool,
    Node,
    ReLU,
    Sequential,
    Shared,
    SqueezeExcite,
    Sum,
    Tap,
    TransposedConv,
    conv_norm_act,
)
from netwright.core.net import Net

ODD = Net(
    Sequential(
        stem=Conv(8, (1, 7), stride=(1, 2), padding=((0, 0), (3, 2))),
        body=Sequential(
            first=Shared(Conv(8, 3, dilation=2), key="twin"),
            second=Shared(Conv(8, 3, dilation=2), key="twin"),
            holes=Conv(8, 3, padding="same", dilation=3, groups=8, bias=False),
        ),
        gate=SqueezeExcite(4),
        side=Tap(Sequential(pool=GlobalAvgPool(), fc=Linear(5))),
        late=Sum(Conv(8, 3), Sequential(norm=BatchNorm(), act=ReLU())),
        pool=MaxPool(2),
        head=Sequential(pool=GlobalAvgPool(), fc=Linear(5)),
    ),
    (3, 32, 48),
    "odd",
)
"""Everything a table must be able to say: uneven windows, padding and fields, holes, shared
weights, a gate that sees all, an auxiliary head, a join."""

CHAIN = Net(
    Sequential(
        stem=Sequential(conv=Conv(16, 3, 2), act=ReLU()),
        stage1=Sequential(*[Sum(Conv(16), Sequential()) for _ in range(2)]),
        head=Sequential(pool=GlobalAvgPool(), fc=Linear(10)),
    ),
    (3, 32, 32),
    "chain",
)
"""A small net with stages and blocks."""

SKIP = Net(
    Graph(
        down1=Sequential(*[conv_norm_act(8)] * 2),
        pool1=MaxPool(2),
        bottom=Sequential(*[conv_norm_act(16)] * 2),
        grow1=TransposedConv(8, 2, 2),
        beside1=Node(Cat(), "down1", "grow1"),
        head=Conv(2, 1),
    ),
    (1, 32, 32),
    "skip",
)
"""A U-Net of one step."""
