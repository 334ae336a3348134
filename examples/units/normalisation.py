"""Normalisation: which elements share a mean, found by asking the layers.

python examples/units/normalisation.py FOLDER
"""

from __future__ import annotations

import numpy as np
import torch
from board import BLUE, PALE, RED, Board

import netwright as nw

TITLE = "Normalisation axes"
N, C, L = 4, 6, 8
PLACE = (1, 2, 3)
UNITS = {
    "batch": nw.BatchNorm(affine=False),
    "layer": nw.LayerNorm(affine=False),
    "instance": nw.InstanceNorm(affine=False),
    "group of 3": nw.GroupNorm(affine=False, groups=2),
}


def shared(unit: nw.Norm) -> np.ndarray:
    """Whether an element of (N, C, L) helps to normalise the one at `PLACE`: where the
    gradient of that output is not zero."""
    x = torch.rand(N, C, L, generator=torch.Generator().manual_seed(0)).double().requires_grad_()
    module = unit.module((C, L)).double().train()
    module(x)[PLACE].backward()
    assert x.grad is not None
    return x.grad.numpy() != 0


def drawn(mask: np.ndarray) -> np.ndarray:
    """Images as rows of channels, a channel as a column of positions; the place in red."""
    wide, high, gap = 24, 10, 6
    picture = np.full((N * (L * high + gap) - gap, C * (wide + gap) - gap, 3), 0.7)
    for n, c, i in np.ndindex(N, C, L):
        top, left = n * (L * high + gap) + i * high, c * (wide + gap)
        colour = BLUE if mask[n, c, i] else PALE
        picture[top : top + high - 1, left : left + wide] = RED if (n, c, i) == PLACE else colour
    return picture


def main(board: Board) -> None:
    """Shows, for every normalisation, what shares mean and variance with one element."""
    board.say(
        f"{N} images below one another, {C} channels side by side, {L} positions in a "
        "column. One output (red) depends on the blue elements: they share its mean and "
        "variance."
    )
    masks = {name: shared(unit) for name, unit in UNITS.items()}
    board.pictures(*((f"{name} normalisation", drawn(mask)) for name, mask in masks.items()),
                   width=174)  # fmt: skip
    board.lines(
        "\n".join(
            f"{name:12}{mask.sum():4} of {mask.size} elements: {mask.any((1, 2)).sum()} images, "
            f"{mask.any((0, 2)).sum()} channels, {mask.any((0, 1)).sum()} positions"
            for name, mask in masks.items()
        )
    )


if __name__ == "__main__":
    Board.run(main)
