"""Padding modes side by side: what a kernel sees beyond the border.

python examples/units/padding.py FOLDER
"""

from __future__ import annotations

import numpy as np
import torch
from board import Board, photo

import netwright as nw
from netwright.layers import pad

TITLE = "Padding modes"
BORDERS = ("zeros", 0.5, "circular", "replicate", "reflect", "symmetric")
NUMPY = {"circular": "wrap", "replicate": "edge"}


def mean(border: str | float) -> np.ndarray:
    """The 3 x 3 mean of an image of ones with that border."""
    unit = nw.Conv(1, 3, bias=False, border=border)
    module = unit.module((1, 4, 6))
    torch.nn.init.constant_(module.weight, 1 / 9)
    return module(torch.ones(1, 1, 4, 6))[0, 0].detach().numpy()


def main(board: Board) -> None:
    """Shows a line and a photograph padded, and what the border does to a mean."""
    line = torch.tensor([1.0, 2, 3, 4])
    rows = {border: pad(line[None, None], [(3, 3)], border)[0, 0].tolist() for border in BORDERS}
    board.say("1 2 3 4 with three more positions on each side:")
    board.lines(
        "\n".join(
            f"{border!s:10}"
            + " | ".join("".join(f"{v:4g}" for v in part) for part in (row[:3], row[3:7], row[7:]))
            for border, row in rows.items()
        )
    )
    alike = all(
        rows[border] == np.pad(line.numpy(), 3, NUMPY.get(border, border)).tolist()
        for border in ("circular", "replicate", "reflect", "symmetric")
    )
    board.say(f"numpy.pad agrees (wrap, edge, reflect, symmetric): {alike}.")

    picture = torch.tensor(photo(150))[None, None]
    around = [(40, 40), (60, 60)]
    board.pictures(
        *((str(border), pad(picture, around, border)[0, 0].numpy()) for border in BORDERS),
        width=270,
    )

    board.say(
        "The 3 x 3 mean of an image of ones should be one. Zeros darken the border; "
        '"crop" drops the kernel\'s part outside and rescales the rest (partial '
        "convolution), so the border keeps its light."
    )
    board.matrices(*((f"border={border!r}", mean(border).round(2)) for border in ("zeros", "crop")))


if __name__ == "__main__":
    Board.run(main)
