"""Pools guided by labels, edges and surroundings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from kit import Sample
from torch import Tensor, nn

import netwright as nw

MAP = (8, 13, 11)
LINE = (8, 23)
BOX = (4, 7, 6, 5)


def labelled(regions: int, *shape: int) -> Callable[[int], Sequence[Tensor]]:
    def make(batch: int) -> Sequence[Tensor]:
        return torch.rand(batch, *shape), torch.randint(regions, (batch, *shape[1:]))

    return make


def averaging(module: nn.Module) -> nn.Module:
    """Means in the place of maxima: every position of the window counts."""
    module.mode = "mean"
    return module


SAMPLES = [
    Sample(nw.SuperpixelPool(10), MAP, MAP[1:], inputs=labelled(9, *MAP)),
    Sample(nw.SuperpixelPool(10, "max"), MAP, MAP[1:], inputs=labelled(10, *MAP)),
    Sample(nw.SuperpixelPool(5), LINE, LINE[1:], inputs=labelled(5, *LINE)),
    Sample(nw.SuperpixelPool(5, "max"), BOX, BOX[1:], inputs=labelled(5, *BOX)),
    Sample(nw.SuperpixelPool(2), (3, 1, 1), (1, 1), inputs=labelled(2, 3, 1, 1)),
    Sample(nw.EdgePyramidPool(), MAP),
    Sample(nw.EdgePyramidPool((2, 4), 0.3), LINE),
    Sample(nw.EdgePyramidPool(2), BOX),
    Sample(nw.EdgePyramidPool(), (3, 1, 1)),
    Sample(nw.PixelPyramidPool(), MAP, surrogate=averaging),
    Sample(nw.PixelPyramidPool((5, 3, 1), "mean"), MAP),
    Sample(nw.PixelPyramidPool(3), LINE, surrogate=averaging),
    Sample(nw.PixelPyramidPool((3, 1)), BOX, surrogate=averaging),
    Sample(nw.PixelPyramidPool(), (3, 1, 1), surrogate=averaging),
]

WRONG = {
    "SuperpixelPool": [{"regions": 0}, {"regions": 4, "mode": "median"}],
    "EdgePyramidPool": [{"levels": ()}, {"levels": (2, 0)}, {"scale": 0}],
    "PixelPyramidPool": [{"windows": (3, 2)}, {"windows": 0}, {"mode": "min"}],
}

MISFITS = {
    "SuperpixelPool": [((8, 9, 9), {"regions": 4})],
    "EdgePyramidPool": [((8,), {})],
    "PixelPyramidPool": [((8,), {})],
}
