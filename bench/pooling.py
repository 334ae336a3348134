"""How long pools by rank and between mean and maximum take beside `nn.MaxPool2d`, and beside
naive ones.

Forward and backward of 32 x 64 x 56 x 56 maps, one table for 2x2 windows side by side, one for
3x3 windows two apart; medians of interleaved rounds. Naive pools unfold the windows and sort
them, take their median or their powers. `power alone` is the floor of `LpPool` with a learned
p: x^p with the gradients of x and p, without guards, windows and root; `square alone` that of
p = 2. A mixed pool needs a maximum and a mean.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from random_pooling import SHAPE, table
from torch import Tensor, nn

from netwright.layers import (
    BlurPool,
    GatedPool,
    LpPool,
    MedianPool,
    MinPool,
    MixedPool,
    OrdinalPool,
    RankAvgPool,
    WeightedPool,
)


def unfolded(x: Tensor, k: int, s: int) -> Tensor:
    """Every window of a map in a last axis of its own."""
    return x.unfold(2, k, s).unfold(3, k, s).flatten(4)


def power(x: Tensor) -> Tensor:
    """x^p of x > 0 by one logarithm and one exponential, p learned."""
    p = torch.tensor(2.0, requires_grad=True)
    return ((x + 1).log() * p).exp()


def mixed(x: Tensor, k: int, s: int) -> Tensor:
    """Half the maximum, half the mean of every unfolded window."""
    windows = unfolded(x, k, s)
    return 0.5 * windows.amax(-1) + 0.5 * windows.mean(-1)


def cases(k: int, s: int, top: int) -> dict[str, Callable[[Tensor], Tensor]]:
    """The pools with windows of k x k, s apart."""
    kernel = (k, k)
    return {
        f"nn.MaxPool2d({k}, {s})": nn.MaxPool2d(k, s),
        f"MinPool({k}, {s})": MinPool(k, s),
        f"MedianPool({k}, {s})": MedianPool(k, s),
        "unfold and median": lambda x: unfolded(x, k, s).median(-1).values,
        f"RankAvgPool({k}, {s}, top={top})": RankAvgPool(k, s, top=top),
        f"OrdinalPool({k}, {s})": OrdinalPool(SHAPE[1], kernel, s),
        "unfold and sort": lambda x: unfolded(x, k, s).sort(-1).values[..., -top:].mean(-1),
        f"LpPool({k}, {s})": LpPool(k, s),
        f"LpPool({k}, {s}, p=3)": LpPool(k, s, p=3),
        f"LpPool({k}, {s}, learned)": LpPool(k, s, learned=True),
        "unfold, power, sum and root": lambda x: unfolded(x, k, s).pow(2).sum(-1).pow(0.5),
        "power alone": power,
        "square alone": torch.square,
        f"nn.AvgPool2d({k}, {s})": nn.AvgPool2d(k, s),
        f"nn.LPPool2d(2, {k}, {s})": nn.LPPool2d(2, k, s),
        f"MixedPool({k}, {s})": MixedPool(k, s),
        "unfold, maximum and mean": lambda x: mixed(x, k, s),
        f"MixedPool({k}, {s}, random)": MixedPool(k, s, mix="random"),
        f"GatedPool({k}, {s})": GatedPool(kernel, s),
        f"WeightedPool({k}, {s})": WeightedPool(kernel, s),
        f"BlurPool({k}, {s})": BlurPool(k, s),
    }


if __name__ == "__main__":
    for windows in ((2, 2, 2), (3, 2, 4)):
        table(cases(*windows), *map(int, sys.argv[1:3]))
        print()
