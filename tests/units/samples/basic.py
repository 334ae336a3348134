"""Units of the spine: joins, convolution, dense, pooling, normalisation, activation, movement."""

from __future__ import annotations

from kit import Sample

import netwright as nw

MAP = (8, 13, 11)
LINE = (8, 23)
BOX = (4, 7, 6, 5)

SAMPLES = [
    Sample(nw.Add(), MAP, MAP),
    Sample(nw.Add(), MAP, MAP, (8,)),
    Sample(nw.Mul(), MAP, (8, 1, 1)),
    Sample(nw.Mul(), MAP, (8,)),
    Sample(nw.Cat(), MAP, (3, 13, 11)),
    Sample(nw.Cat(), (5,), (6,)),
    Sample(nw.Conv(6), MAP),
    Sample(nw.Conv(6, 4, stride=3), MAP),
    Sample(nw.Conv(6, (3, 2), (2, 1), "full", (1, 2)), MAP),
    Sample(nw.Conv(6, 5, padding=((0, 3), 1), bias=False), MAP),
    Sample(nw.Conv(6, 3, padding="valid", dilation=3, groups=2), MAP),
    Sample(nw.Conv(6, 7, 2), LINE),
    Sample(nw.Conv(6, (1, 3, 3), (1, 2, 2)), BOX),
    Sample(nw.TransposedConv(6), MAP),
    Sample(nw.TransposedConv(6, 3, 2, 1, 1, groups=2), MAP),
    Sample(nw.TransposedConv(6, 5, 3, 1, dilation=2, bias=False), MAP),
    Sample(nw.TransposedConv(6, 2, 3), LINE),
    Sample(nw.TransposedConv(6, (1, 2, 2), (1, 2, 2)), BOX),
    Sample(nw.Linear(7), (12,)),
    Sample(nw.Linear(7, bias=False), (12,)),
    Sample(nw.Flatten(), MAP),
    Sample(nw.Flatten(), BOX),
    Sample(nw.MaxPool(), MAP),
    Sample(nw.MaxPool(3, 2, 1), MAP),
    Sample(nw.MaxPool(3, 2, ceil=True), LINE),
    Sample(nw.MaxPool((1, 2, 2)), BOX),
    Sample(nw.AvgPool(3, 2, 1), MAP),
    Sample(nw.AvgPool(3, 1, 1, count_padding=False), MAP),
    Sample(nw.AvgPool(2, ceil=True), MAP),
    Sample(nw.AvgPool(3, 2, ((0, 1), 1)), MAP),
    Sample(nw.AvgPool(2, 1, ((1, 0),)), LINE),
    Sample(nw.AdaptiveAvgPool(), MAP),
    Sample(nw.AdaptiveAvgPool((4, 7)), MAP),
    Sample(nw.AdaptiveAvgPool(30), LINE),
    Sample(nw.GlobalAvgPool(), MAP),
    Sample(nw.GlobalAvgPool(keep=True), BOX),
    Sample(nw.BatchNorm(), MAP),
    Sample(nw.BatchNorm(affine=False), (12,)),
    Sample(nw.BatchNorm(), BOX),
    Sample(nw.GroupNorm(groups=4), MAP),
    Sample(nw.LayerNorm(), MAP),
    Sample(nw.InstanceNorm(), LINE),
    Sample(nw.LocalResponseNorm(), MAP),
    Sample(nw.Dropout(0.3), MAP, random=True),
    Sample(nw.SpatialDropout(0.3), MAP, random=True),
    Sample(nw.DropPath(0.3), MAP, random=True),
    Sample(nw.Upsample(2), MAP),
    Sample(nw.Upsample((3, 2), "linear"), MAP),
    Sample(nw.Upsample(2, "linear"), BOX),
    Sample(nw.Subsample(2), MAP),
    Sample(nw.Subsample((1, 2)), MAP),
    Sample(nw.Subsample(2, start=1), MAP),
    Sample(nw.PadChannels(11), MAP),
    Sample(nw.ChannelShuffle(4), MAP),
    *(Sample(kind(), MAP) for kind in (
        nw.ELU, nw.GELU, nw.HardSigmoid, nw.HardSwish, nw.Identity, nw.LeakyReLU, nw.PReLU,
        nw.ReLU, nw.ReLU6, nw.SiLU, nw.Sigmoid, nw.Tanh)),
]  # fmt: skip

WRONG = {
    "TransposedConv": [{"width": "4"}, {"width": 4, "extra": -1}, {"width": 5, "groups": 2}],
    "Linear": [{"width": 0}, {"width": 3, "bias": None}],
    "MaxPool": [{"kernel": 0}, {"stride": 0}, {"ceil": 1}, {"padding": -1}],
    "AvgPool": [{"kernel": 1.5}],
    "AdaptiveAvgPool": [{"size": 0}],
    "GlobalAvgPool": [{"keep": "yes"}],
    "BatchNorm": [{"eps": 0}, {"affine": 1}, {"momentum": "a"}, {"momentum": -3}],
    "GroupNorm": [{"groups": 0}],
    "LayerNorm": [{"eps": -1e-5}],
    "InstanceNorm": [{"eps": float("nan")}],
    "LocalResponseNorm": [{"size": 0}, {"beta": None}],
    "Dropout": [{"rate": 1}, {"rate": -0.1}],
    "SpatialDropout": [{"rate": 2}],
    "DropPath": [{"rate": "half"}],
    "Upsample": [{"scale": 0}, {"mode": "lanczos"}, {"corners": True}],
    "Subsample": [{"stride": 0}, {"start": -1}],
    "PadChannels": [{"width": 0}],
    "ChannelShuffle": [{"groups": -2}],
    "LeakyReLU": [{"slope": "steep"}],
    "PReLU": [{"start": None}],
    "ELU": [{"alpha": float("inf")}],
}  # fmt: skip

MISFITS = {
    "TransposedConv": [((8,), {"width": 4}), ((8, 4, 4), {"width": 4, "extra": 2})],
    "Linear": [((8, 3, 3), {"width": 4})],
    "MaxPool": [((8, 1, 1), {}), ((8,), {}), ((8, 9, 9), {"padding": 2})],
    "AvgPool": [((8, 9, 9), {"padding": ((0, 1), (0, 1)), "count_padding": False})],
    "GroupNorm": [((8, 3, 3), {"groups": 3}), ((8, 1, 1), {"groups": 8})],
    "InstanceNorm": [((8, 1, 1), {})],
    "ChannelShuffle": [((8, 3, 3), {"groups": 3})],
    "PadChannels": [((8, 3, 3), {"width": 4})],
    "Subsample": [((8, 3, 1), {"start": 1})],
    "Upsample": [((8,), {}), ((8, 9), {"mode": "cubic"})],
}  # fmt: skip
