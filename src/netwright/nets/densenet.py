"""DenseNet-121 to DenseNet-264, with bottlenecks and compression (BC)."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.densenet import DenseBlock, Transition
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.activation import ReLU
from netwright.units.norm import BatchNorm
from netwright.units.pool import MaxPool

__all__ = ["DENSENET", "dense_stages", "densenet"]

DENSENET = Paper(
    "Densely Connected Convolutional Networks",
    "Huang, Liu, van der Maaten, Weinberger",
    2016,
    "1608.06993",
)
IMAGENET = (3, 224, 224)


@net("densenet121", input=IMAGENET, paper=DENSENET, depths=(6, 12, 24, 16))
@net("densenet161", input=IMAGENET, paper=DENSENET, depths=(6, 12, 36, 24), growth=48)
@net("densenet169", input=IMAGENET, paper=DENSENET, depths=(6, 12, 32, 32))
@net("densenet201", input=IMAGENET, paper=DENSENET, depths=(6, 12, 48, 32))
@net("densenet264", input=IMAGENET, paper=DENSENET, depths=(6, 12, 64, 48))
def densenet(
    depths: tuple[int, ...],
    growth: int = 32,
    expansion: int = 4,
    compression: float = 0.5,
    classes: int = 1000,
) -> Spec:
    """Table 1 of the paper: a 7x7 stem of 2 growth channels, dense blocks with transitions
    between them, batch norm, a pooled head.

    As in torchvision the stem's convolution comes before its batch norm, where the table's
    `conv` stands for norm, ReLU and convolution in this order.
    """
    stages = dense_stages(depths, growth, expansion, compression)
    return Sequential(
        stem=Sequential(conv=conv_norm_act(2 * growth, 7, 2), pool=MaxPool(3, 2, padding=1)),
        **stages,
        norm=BatchNorm(),
        act=ReLU(),
        head=pooled(classes),
    )


def dense_stages(
    depths: tuple[int, ...], growth: int, expansion: int, compression: float
) -> dict[str, Spec]:
    """`depths[i]` dense layers for block i + 1, a transition between every two blocks.

    >>> list(dense_stages((6, 6), 12, 4, 0.5))
    ['block1', 'transition1', 'block2']
    """
    need_counts(depths=depths)
    parts: dict[str, Spec] = {}
    for i, depth in enumerate(depths, 1):
        if i > 1:
            parts[f"transition{i - 1}"] = Transition(compression)
        parts[f"block{i}"] = DenseBlock(depth, growth, expansion)
    return parts
