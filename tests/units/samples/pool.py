"""Deterministic pooling: by rank, between mean and maximum, global, of regions, blurred."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from kit import Sample
from torch import Tensor, nn

import netwright as nw
from netwright.layers.windows import WindowPool

MAP = (8, 13, 11)
LINE = (8, 23)
BOX = (4, 7, 6, 5)
DOT = (3, 1, 1)
NINE = (1.0, 2.0, 1.0, 2.0, 4.0, 2.0, 1.0, 2.0, 1.0)


def averaging(module: nn.Module) -> nn.Module:
    """The mean in the place of what one position may decide alone: all of the window count."""
    if not isinstance(module, WindowPool):
        return _RowMean()
    axes = 1 if isinstance(module.kernel_size, int) else len(module.kernel_size)
    kind = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[axes - 1]
    return kind(module.kernel_size, module.stride, module.padding, module.ceil_mode)


class _RowMean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(-1, keepdim=True)


def boxed(shape: tuple[int, ...], boxes: int, whole: bool) -> Callable[[int], Sequence[Tensor]]:
    """A map and boxes in it, some of them reaching out; RoI pooling rounds them anyway."""

    def make(batch: int) -> Sequence[Tensor]:
        x = torch.rand(batch, *shape)
        corner = torch.rand(batch, boxes, 2) * torch.tensor([shape[2], shape[1]]) - 1
        found = torch.cat([corner, corner + torch.rand(batch, boxes, 2) * 9], 2) * 4
        return x, found.long() if whole else found

    return make


def region(unit: nw.RegionPool, shape: tuple[int, ...], boxes: int = 5) -> Sample:
    whole = isinstance(unit, nw.RoIPool)
    return Sample(unit, shape, (boxes, 4), inputs=boxed(shape, boxes, whole))


SAMPLES = [
    *(Sample(kind(*fields, **more), shape, surrogate=averaging)
      for kind in (nw.MinPool, nw.MedianPool, nw.RankAvgPool, nw.OrdinalPool, nw.MixedPool)
      for fields, more, shape in (
          ((), {}, MAP), ((3, 2, 1), {}, MAP), ((3, 2), {"ceil": True}, LINE),
          (((1, 2, 2),), {}, BOX), ((3, 1, 1), {}, DOT))),
    Sample(nw.MedianPool((2, 3), (3, 1), (1, 0), ceil=True), MAP, surrogate=averaging),
    Sample(nw.RankAvgPool(3, 1, top=4), MAP, surrogate=averaging),
    Sample(nw.RankAvgPool(2, top=4), MAP, surrogate=averaging),
    Sample(nw.MixedPool(3, 2, 1, mix="learned", share=0.3), MAP, surrogate=averaging),
    Sample(nw.MixedPool(2, mix="random"), MAP, surrogate=averaging, random=True),
    Sample(nw.GatedPool(), MAP, surrogate=averaging),
    Sample(nw.GatedPool(3, 2, 1, ceil=True), MAP, surrogate=averaging),
    Sample(nw.GatedPool(3), LINE, surrogate=averaging),
    Sample(nw.GatedPool((1, 2, 2)), BOX, surrogate=averaging),
    Sample(nw.LpPool(), MAP, macs=0),
    Sample(nw.LpPool(3, 2, 1, p=3), MAP, macs=0),
    Sample(nw.LpPool(3, 2, ceil=True, p=1.5, learned=True), MAP, macs=0),
    Sample(nw.LpPool(3, p=4, learned=True), LINE, macs=0),
    Sample(nw.LpPool((1, 2, 2), p=1), BOX, macs=0),
    Sample(nw.LpPool(3, 1, 1), DOT, macs=0),
    Sample(nw.WeightedPool(), MAP),
    Sample(nw.WeightedPool(3, 2, 1, weights=NINE), MAP),
    Sample(nw.WeightedPool(3, 2, ceil=True, weights=(1, 2, 1)), LINE),
    Sample(nw.WeightedPool((1, 2, 2)), BOX),
    Sample(nw.WeightedPool(3, 1, 1), DOT),
    Sample(nw.WeightedPool(3, 1, 1, weights=(0, 0, 0, 0, 3, 0, 0, 0, 0)), MAP),
    Sample(nw.WeightedPool((2, 3), 2, weights=(0, 1, 0, 0, 1, 2)), MAP),
    Sample(nw.WeightedPool(3, 1, 1, weights=(1, 0, 1)), LINE),
    Sample(nw.WeightedPool(2, weights=(1, 0, 0, 1)), MAP),
    Sample(nw.WeightedPool(2, weights=(0, 1, 0, 0, 0, 1, 0, 0)), BOX),
    Sample(nw.MixedPool(3, 2, 1), (4, 7, 2, 1)),
    Sample(nw.GlobalMaxPool(), MAP),
    Sample(nw.GlobalMaxPool(keep=True), BOX),
    Sample(nw.GlobalMaxPool(), DOT),
    Sample(nw.GeM(), MAP),
    Sample(nw.GeM(keep=True, p=2.5, learned=False), LINE),
    Sample(nw.GeM(), DOT),
    Sample(nw.RowMaxPool(), MAP),
    Sample(nw.RowMaxPool(keep=True), MAP, surrogate=averaging),
    Sample(nw.RowMaxPool(), BOX),
    Sample(nw.RowMaxPool(), DOT),
    *(Sample(nw.ChannelMean(), shape) for shape in (MAP, LINE, BOX, DOT)),
    Sample(nw.IntermapPool(), MAP),
    Sample(nw.IntermapPool(4), BOX),
    Sample(nw.IntermapPool(3), DOT),
    Sample(nw.SpatialPyramidPool(), MAP),
    Sample(nw.SpatialPyramidPool((6, 3, 2, 1)), LINE),
    Sample(nw.SpatialPyramidPool(2), BOX),
    Sample(nw.SpatialPyramidPool(), DOT),
    region(nw.RoIPool(3, 0.25), MAP),
    region(nw.RoIPool((2, 5), 0.5), (2, 16, 8), 1),
    region(nw.RoIPool(2, 0.25), DOT),
    region(nw.RoIAlign(3, 0.25), MAP),
    region(nw.RoIAlign((2, 5), 0.25, samples=3, aligned=False), MAP, 1),
    region(nw.RoIAlign(2, 0.25), DOT),
    Sample(nw.BlurPool(), MAP),
    Sample(nw.BlurPool(5, 3, "zeros"), MAP),
    Sample(nw.BlurPool(4, 2, "replicate"), LINE),
    Sample(nw.BlurPool(border="symmetric"), DOT),
    Sample(nw.BlurPool(3, 1, "circular"), BOX, support="a circle's end sees its start"),
]  # fmt: skip

WRONG = {
    "MinPool": [{"kernel": 0}, {"ceil": 1}],
    "MedianPool": [{"kernel": 1.5}, {"stride": 0}],
    "RankAvgPool": [{"top": 0}, {"kernel": 3, "top": 2.5}],
    "OrdinalPool": [{"padding": -1}],
    "LpPool": [{"p": 0}, {"p": "two"}, {"learned": 1}, {"learned": True, "p": 1}],
    "WeightedPool": [{"weights": (0, 0, 0, 0)}, {"weights": (1, -1, 1, 1)}, {"weights": 4},
                     {"weights": (1.0, float("inf"))}],
    "MixedPool": [{"share": 1.5}, {"share": None}, {"mix": "often"},
                  {"mix": "learned", "share": 1}],
    "GatedPool": [{"kernel": -2}],
    "GlobalMaxPool": [{"keep": 1}],
    "GeM": [{"p": 0}, {"learned": "yes"}, {"eps": -1.0}],
    "RowMaxPool": [{"keep": None}],
    "IntermapPool": [{"size": 0}],
    "SpatialPyramidPool": [{"sizes": ()}, {"sizes": (2, 0)}],
    "RoIPool": [{"size": 0}, {"scale": 0}],
    "RoIAlign": [{"samples": 0}, {"aligned": 1}],
    "BlurPool": [{"size": 0}, {"stride": (2, 2)}, {"border": "crop"}],
}  # fmt: skip

MISFITS = {
    "MinPool": [((8, 1, 1), {})],
    "MedianPool": [((8,), {}), ((8, 9, 9), {"padding": 2})],
    "RankAvgPool": [((8, 9, 9), {"top": 5})],
    "OrdinalPool": [((8, 2, 2), {"kernel": 3})],
    "WeightedPool": [((8, 9, 9), {"weights": (1.0, 2.0, 1.0)})],
    "GlobalMaxPool": [((8,), {})],
    "RowMaxPool": [((8, 9), {})],
    "ChannelMean": [((8,), {})],
    "IntermapPool": [((8, 3, 3), {"size": 3})],
    "SpatialPyramidPool": [((8,), {})],
    "RoIPool": [((8, 9, 9), {})],
    "RoIAlign": [((8, 9), {})],
    "BlurPool": [((8, 1, 1), {}), ((8, 2, 5), {"size": 5})],
}  # fmt: skip
