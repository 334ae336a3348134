"""Pooling side by side, and what a shift by one pixel does to it.

python examples/units/pooling.py FOLDER
"""

from __future__ import annotations

from operator import itemgetter

import numpy as np
import torch
from board import Board, grey, photo

import netwright as nw
from netwright.core.spec import SPECS
from netwright.errors import NetwrightError

TITLE = "Pooling and a shift by one pixel"
SHAPE = (1, 80, 120)


def halving() -> dict[str, nw.Unit]:
    """Every pooling unit that, left to its defaults, halves one map."""
    found: dict[str, nw.Unit] = {}
    for name in nw.units("*Pool*"):
        try:
            unit = SPECS[name]()
            if unit.shape(SHAPE) == (1, 40, 60):
                found[name] = unit
        except (TypeError, NetwrightError):
            continue  # wants arguments, or another input
    return found


def main(board: Board) -> None:
    """Shows every pooling of a detail, and how far its output moves with the input."""
    picture = photo(640)[150:232, 230:352]
    here, there = (torch.tensor(picture[1:81, i : i + 120].copy())[None, None] for i in (1, 0))
    board.say(
        "Every pooling unit that, left to its defaults, halves a map. Shift the image by one "
        "pixel, and the pooled image should hardly change; what does change is measured against "
        "the pooled image's own variation. Each is drawn from its darkest to its lightest value."
    )
    shown, moved = [("image", picture[1:81, 1:121])], {}
    for name, unit in halving().items():
        torch.manual_seed(0)
        module = unit.module(SHAPE).eval()
        with torch.no_grad():
            y, z = module(here)[0, 0].numpy(), module(there)[0, 0].numpy()
        shown.append((name, grey(y)))
        moved[name] = float(np.abs(y - z).mean() / np.abs(y - y.mean()).mean())
    board.pictures(*shown, width=180)
    board.shares(
        "Change under a shift by one pixel", dict(sorted(moved.items(), key=itemgetter(1)))
    )


if __name__ == "__main__":
    Board.run(main)
