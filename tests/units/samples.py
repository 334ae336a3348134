"""Every unit with a few choices of fields and input shapes for the conformance kit."""

from __future__ import annotations

import netwright as nw
from netwright.core.shape import Shape
from netwright.core.spec import Unit

MAP = (8, 13, 11)
LINE = (8, 23)
BOX = (4, 7, 6, 5)

_everything: list[tuple[Unit, tuple[Shape, ...]]] = [
    (nw.Add(), (MAP, MAP)),
    (nw.Add(), (MAP, MAP, (8,))),
    (nw.Mul(), (MAP, (8, 1, 1))),
    (nw.Mul(), (MAP, (8,))),
    (nw.Cat(), (MAP, (3, 13, 11))),
    (nw.Cat(), ((5,), (6,))),
    (nw.Conv(6), (MAP,)),
    (nw.Conv(6, 4, stride=3), (MAP,)),
    (nw.Conv(6, (3, 2), (2, 1), "full", (1, 2)), (MAP,)),
    (nw.Conv(6, 5, padding=((0, 3), 1), bias=False), (MAP,)),
    (nw.Conv(6, 3, padding="valid", dilation=3, groups=2), (MAP,)),
    (nw.Conv(6, 7, 2), (LINE,)),
    (nw.Conv(6, (1, 3, 3), (1, 2, 2)), (BOX,)),
    (nw.TransposedConv(6), (MAP,)),
    (nw.TransposedConv(6, 3, 2, 1, 1, groups=2), (MAP,)),
    (nw.TransposedConv(6, 5, 3, 1, dilation=2, bias=False), (MAP,)),
    (nw.TransposedConv(6, 2, 3), (LINE,)),
    (nw.TransposedConv(6, (1, 2, 2), (1, 2, 2)), (BOX,)),
    (nw.Linear(7), ((12,),)),
    (nw.Linear(7, bias=False), ((12,),)),
    (nw.Flatten(), (MAP,)),
    (nw.Flatten(), (BOX,)),
    (nw.MaxPool(), (MAP,)),
    (nw.MaxPool(3, 2, 1), (MAP,)),
    (nw.MaxPool(3, 2, ceil=True), (LINE,)),
    (nw.MaxPool((1, 2, 2)), (BOX,)),
    (nw.AvgPool(3, 2, 1), (MAP,)),
    (nw.AvgPool(2, ceil=True), (MAP,)),
    (nw.AdaptiveAvgPool(), (MAP,)),
    (nw.AdaptiveAvgPool((4, 7)), (MAP,)),
    (nw.AdaptiveAvgPool(30), (LINE,)),
    (nw.GlobalAvgPool(), (MAP,)),
    (nw.GlobalAvgPool(keep=True), (BOX,)),
    (nw.BatchNorm(), (MAP,)),
    (nw.BatchNorm(affine=False), ((12,),)),
    (nw.BatchNorm(), (BOX,)),
    (nw.GroupNorm(groups=4), (MAP,)),
    (nw.LayerNorm(), (MAP,)),
    (nw.InstanceNorm(), (LINE,)),
    (nw.LocalResponseNorm(), (MAP,)),
    (nw.Dropout(0.3), (MAP,)),
    (nw.SpatialDropout(0.3), (MAP,)),
    (nw.DropPath(0.3), (MAP,)),
    (nw.Upsample(2), (MAP,)),
    (nw.Upsample((3, 2), "linear"), (MAP,)),
    (nw.Upsample(2, "linear"), (BOX,)),
    (nw.Subsample(2), (MAP,)),
    (nw.Subsample((1, 2)), (MAP,)),
    (nw.PadChannels(11), (MAP,)),
    (nw.ChannelShuffle(4), (MAP,)),
    *((kind(), (MAP,)) for kind in (
        nw.ELU, nw.GELU, nw.HardSigmoid, nw.HardSwish, nw.Identity, nw.LeakyReLU, nw.PReLU,
        nw.ReLU, nw.ReLU6, nw.SiLU, nw.Sigmoid, nw.Tanh)),
]  # fmt: skip

SAMPLES: dict[str, list[tuple[Unit, tuple[Shape, ...]]]] = {}
for _unit, _shapes in _everything:
    SAMPLES.setdefault(type(_unit).__name__, []).append((_unit, _shapes))

WRONG = {
    "Conv": [{"width": 0}, {"width": 2.5}, {"width": 4, "kernel": -1}, {"width": 4, "kernel": ()},
             {"width": 4, "padding": "most"}, {"width": 5, "groups": 2}, {"width": 4, "bias": 1}],
    "TransposedConv": [{"width": "4"}, {"width": 4, "extra": -1}, {"width": 5, "groups": 2}],
    "Linear": [{"width": 0}, {"width": 3, "bias": None}],
    "MaxPool": [{"kernel": 0}, {"stride": 0}, {"ceil": 1}, {"padding": -1}],
    "AvgPool": [{"kernel": 1.5}],
    "AdaptiveAvgPool": [{"size": 0}],
    "GlobalAvgPool": [{"keep": "yes"}],
    "BatchNorm": [{"eps": 0}, {"affine": 1}, {"momentum": "a"}],
    "GroupNorm": [{"groups": 0}],
    "LayerNorm": [{"eps": -1e-5}],
    "InstanceNorm": [{"eps": float("nan")}],
    "LocalResponseNorm": [{"size": 0}, {"beta": None}],
    "Dropout": [{"rate": 1}, {"rate": -0.1}],
    "SpatialDropout": [{"rate": 2}],
    "DropPath": [{"rate": "half"}],
    "Upsample": [{"scale": 0}, {"mode": "cubic"}],
    "Subsample": [{"stride": 0}],
    "PadChannels": [{"width": 0}],
    "ChannelShuffle": [{"groups": -2}],
    "LeakyReLU": [{"slope": "steep"}],
    "PReLU": [{"start": None}],
    "ELU": [{"alpha": float("inf")}],
}  # fmt: skip
"""Fields that each unit with fields must refuse."""

MISFITS = {
    "Conv": [((7, 9, 9), {"width": 4, "groups": 2}), ((8,), {"width": 4}),
             ((8, 3, 3), {"width": 4, "kernel": 5, "padding": 0})],
    "TransposedConv": [((8,), {"width": 4}), ((8, 4, 4), {"width": 4, "extra": 2})],
    "Linear": [((8, 3, 3), {"width": 4})],
    "MaxPool": [((8, 1, 1), {}), ((8,), {}), ((8, 9, 9), {"padding": 2})],
    "GroupNorm": [((8, 3, 3), {"groups": 3})],
    "InstanceNorm": [((8, 1, 1), {})],
    "ChannelShuffle": [((8, 3, 3), {"groups": 3})],
    "PadChannels": [((8, 3, 3), {"width": 4})],
    "Upsample": [((8,), {})],
}  # fmt: skip
"""Input shapes that do not fit."""
