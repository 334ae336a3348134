"""Normalisation: of maps beyond the spine's samples, and of weights."""

from __future__ import annotations

import torch
from kit import Sample
from torch import nn

import netwright as nw

MAP = (8, 13, 11)
DOT = (8, 1, 1)
LINE = (8, 23)
BOX = (4, 7, 6, 5)


def uneven(module: nn.Module) -> nn.Module:
    """Another scale for every channel: normalised channels sum to zero, so that the gradient of
    their plain sum is zero everywhere."""
    if module.weight is not None:
        nn.init.constant_(module.weight, 1)
        with torch.no_grad():
            module.weight.mul_(torch.arange(len(module.weight)).square())
    return module


def itself(module: nn.Module) -> nn.Module:
    """The module with the weights it drew: a standardised kernel cannot be made positive."""
    return module


SAMPLES = [
    Sample(nw.BatchNorm(), LINE),
    Sample(nw.BatchNorm(), DOT),
    Sample(nw.GroupNorm(groups=4), DOT),
    Sample(nw.GroupNorm(groups=2), (8,)),
    Sample(nw.GroupNorm(affine=False, groups=2), BOX),
    Sample(nw.LayerNorm(), DOT),
    Sample(nw.LayerNorm(), LINE),
    Sample(nw.InstanceNorm(), MAP),
    Sample(nw.InstanceNorm(affine=False), BOX),
    Sample(nw.LocalResponseNorm(3), DOT),
    Sample(nw.LocalResponseNorm(4), LINE),
    Sample(nw.ChannelLayerNorm(), MAP, surrogate=uneven),
    Sample(nw.ChannelLayerNorm(), DOT, surrogate=uneven),
    Sample(nw.ChannelLayerNorm(eps=1e-3), LINE, surrogate=uneven),
    Sample(nw.ChannelLayerNorm(), BOX, surrogate=uneven),
    Sample(nw.ChannelLayerNorm(affine=False), (12,)),
    Sample(nw.SpatialResponseNorm(), MAP),
    Sample(nw.SpatialResponseNorm(4, 1.0), MAP),
    Sample(nw.SpatialResponseNorm(3, 1.0, 0.5, 2), DOT),
    Sample(nw.SpatialResponseNorm(3, 1.0), LINE),
    Sample(nw.SpatialResponseNorm(3, 1.0), BOX),
    Sample(nw.SwitchableNorm(), MAP),
    Sample(nw.SwitchableNorm(), DOT),
    Sample(nw.SwitchableNorm(affine=False), LINE),
    Sample(nw.SwitchableNorm(), BOX),
    Sample(nw.GhostBatchNorm(size=2), MAP),
    Sample(nw.GhostBatchNorm(size=3), DOT),
    Sample(nw.GhostBatchNorm(size=2), LINE),
    Sample(nw.GhostBatchNorm(affine=False, size=2), BOX),
    Sample(nw.GhostBatchNorm(size=2), (12,)),
    Sample(nw.MaxNorm(nw.Conv(6), 0.1), MAP),
    Sample(nw.MaxNorm(nw.Conv(8, (13, 1), padding="valid", groups=8, bias=False)), MAP),
    Sample(nw.MaxNorm(nw.Conv(6, 5, 2), 100.0), LINE),
    Sample(nw.MaxNorm(nw.Conv(6), 0.2), BOX),
    Sample(nw.MaxNorm(nw.Linear(7), 0.25), (12,)),
    Sample(nw.WeightNorm(nw.Conv(6)), MAP),
    Sample(nw.WeightNorm(nw.Conv(6, 4, 3, groups=2)), MAP),
    Sample(nw.WeightNorm(nw.Conv(6, 1, bias=False)), DOT),
    Sample(nw.WeightNorm(nw.Conv(6, 5, 2)), LINE),
    Sample(nw.WeightNorm(nw.Conv(6, (1, 3, 3))), BOX),
    Sample(nw.WeightNorm(nw.Linear(7)), (12,)),
    Sample(nw.WeightStandardisation(nw.Conv(6)), MAP, surrogate=itself),
    Sample(nw.WeightStandardisation(nw.Conv(8, 4, 3, groups=8)), MAP, surrogate=itself),
    Sample(nw.WeightStandardisation(nw.Conv(6), gain=True), MAP, surrogate=itself),
    Sample(nw.WeightStandardisation(nw.Conv(6, 1, bias=False)), DOT, surrogate=itself),
    Sample(nw.WeightStandardisation(nw.Conv(6, 5, 2), gain=True), LINE, surrogate=itself),
    Sample(nw.WeightStandardisation(nw.Conv(6, 3, dilation=2)), BOX, surrogate=itself),
]

WRONG = {
    "ChannelLayerNorm": [{"eps": 0}, {"affine": "yes"}],
    "SpatialResponseNorm": [{"size": 0}, {"size": (3, 3)}, {"alpha": "a"}, {"k": None}],
    "SwitchableNorm": [{"eps": 0}, {"momentum": None}, {"momentum": 1.5}],
    "GhostBatchNorm": [{"size": 0}, {"size": 2.5}, {"momentum": "a"}, {"momentum": -3}],
    "MaxNorm": [{"of": nw.ReLU()}, {"of": nw.Linear(3), "limit": 0}],
    "WeightNorm": [{"of": nw.ReLU()}, {"of": 3}],
    "WeightStandardisation": [{"of": nw.Linear(3)}, {"of": nw.Conv(3), "gain": 1},
                              {"of": nw.Conv(3), "eps": 0}],
}  # fmt: skip

MISFITS = {
    "BatchNorm": [((2, 2, 2, 2, 2), {})],
    "ChannelLayerNorm": [((2, 2, 2, 2, 2), {})],
    "SpatialResponseNorm": [((8,), {})],
    "SwitchableNorm": [((8,), {})],
    "GhostBatchNorm": [((2, 2, 2, 2, 2), {})],
    "MaxNorm": [((7, 9, 9), {"of": nw.Conv(4, groups=2)})],
    "WeightNorm": [((7, 9, 9), {"of": nw.Conv(4, groups=2)})],
    "WeightStandardisation": [((7, 9, 9), {"of": nw.Conv(4, groups=2)}),
                              ((4, 9, 9), {"of": nw.Conv(4, 1, groups=4)})],
}  # fmt: skip
