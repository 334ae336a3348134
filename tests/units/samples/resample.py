"""Cubic interpolation, pixel shuffles, unpooling."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from kit import Sample
from torch import Tensor

import netwright as nw

MAP = (8, 13, 11)
LINE = (8, 23)
BOX = (4, 7, 6, 5)


def ranked(pooled: tuple[int, ...], source: tuple[int, ...]) -> Callable[[int], Sequence[Tensor]]:
    """A pooled map, and whole numbers before it: they say where, and get no gradient."""

    def make(batch: int) -> Sequence[Tensor]:
        order = torch.randperm(batch * torch.Size(source).numel())
        return torch.rand(batch, *pooled), order.reshape(batch, *source)

    return make


def unpool(unit: nw.MaxUnpool, pooled: tuple[int, ...], source: tuple[int, ...]) -> Sample:
    return Sample(unit, pooled, source, inputs=ranked(pooled, source))


SAMPLES = [
    Sample(nw.Upsample(2, "cubic"), MAP),
    Sample(nw.Upsample((3, 2), "cubic"), MAP),
    Sample(nw.Upsample(2, "cubic"), (3, 1, 1)),
    Sample(nw.Upsample(2, "cubic", corners=True), MAP),
    Sample(nw.Upsample((3, 2), "linear", corners=True), MAP),
    Sample(nw.Upsample(3, "linear", corners=True), (8, 5)),
    Sample(nw.Upsample(2, "linear", corners=True), (3, 1, 4)),
    Sample(nw.PixelShuffle(), MAP),
    Sample(nw.PixelShuffle(3), (9, 1, 1)),
    Sample(nw.PixelUnshuffle(), (3, 14, 10)),
    Sample(nw.PixelUnshuffle(3), (2, 15, 9)),
    unpool(nw.MaxUnpool(), (8, 6, 5), MAP),
    unpool(nw.MaxUnpool(3), (8, 7), LINE),
    unpool(nw.MaxUnpool((1, 2, 2)), (4, 7, 3, 2), BOX),
    unpool(nw.MaxUnpool(1), (3, 1, 1), (3, 1, 1)),
]

WRONG = {
    "PixelShuffle": [{"scale": 0}, {"scale": (2, 2)}],
    "PixelUnshuffle": [{"scale": 1.5}],
    "MaxUnpool": [{"kernel": 0}],
}

MISFITS = {
    "PixelShuffle": [((6, 4, 4), {}), ((8, 4), {})],
    "PixelUnshuffle": [((6, 4, 5), {}), ((8, 4), {})],
    "MaxUnpool": [((8, 4, 4), {})],
}
