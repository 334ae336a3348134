"""Pools that draw."""

from __future__ import annotations

import torch
from kit import Sample
from torch import Tensor, nn

import netwright as nw

MAP = (8, 13, 11)
LINE = (8, 23)
BOX = (4, 7, 6, 5)


class Averaged(nn.Module):
    """Means in the place of fractional maxima: every position of the window counts."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer.eval()

    def forward(self, x: Tensor) -> Tensor:
        for axis, k in enumerate(self.layer.kernel_size, 2):
            seen = self.layer.starts(x.shape[axis], k, x.device)[:, None] + torch.arange(k)
            x = x.index_select(axis, seen.flatten()).unflatten(axis, seen.shape).mean(axis + 1)
        return x


def fractional(unit: nw.FractionalMaxPool, *shape: int, random: bool = True) -> Sample:
    return Sample(unit, shape, surrogate=Averaged, random=random)


SAMPLES = [
    Sample(nw.StochasticPool(), MAP, macs=0, random=True),
    Sample(nw.StochasticPool(3, 2, 1), MAP, macs=0, random=True),
    Sample(nw.StochasticPool(3, 2, ceil=True), LINE, macs=0, random=True),
    Sample(nw.StochasticPool((1, 2, 2)), BOX, macs=0, random=True),
    Sample(nw.StochasticPool(1), (3, 1, 1), macs=0),
    Sample(nw.TournamentPool(), MAP, random=True),
    Sample(nw.TournamentPool(3, 2, 1, ceil=True, entrants=3), MAP, random=True),
    Sample(nw.TournamentPool(4, entrants=1), LINE, random=True),
    Sample(nw.TournamentPool((2, 1, 2)), BOX, random=True),
    Sample(nw.TournamentPool(1), (3, 1, 1)),
    fractional(nw.FractionalMaxPool(), 8, 25, 21),
    fractional(nw.FractionalMaxPool(3, 0.4), 8, 25, 21),
    fractional(nw.FractionalMaxPool((2, 3), 0.7, "random"), 8, 25, 21),
    fractional(nw.FractionalMaxPool(ratio=0.6), *LINE),
    fractional(nw.FractionalMaxPool(2, 0.7, "random"), *BOX),
    fractional(nw.FractionalMaxPool(ratio=0.5), 3, 2, 2, random=False),
]

WRONG = {
    "StochasticPool": [{"kernel": 0}, {"ceil": 1}],
    "TournamentPool": [{"entrants": 0}, {"stride": -1}],
    "FractionalMaxPool": [{"kernel": 0}, {"ratio": 1.5}, {"regions": "some"}],
}

MISFITS = {
    "StochasticPool": [((8, 1, 1), {}), ((8, 9, 9), {"padding": 2})],
    "TournamentPool": [((8,), {})],
    "FractionalMaxPool": [((8, 1, 1), {}), ((8, 9, 4), {"kernel": 4})],
}
