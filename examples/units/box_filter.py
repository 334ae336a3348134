"""The box filter: every pixel becomes the mean of its neighbourhood.

python examples/units/box_filter.py FOLDER
"""

from __future__ import annotations

import numpy as np
import torch
from board import Board, photo

import netwright as nw

TITLE = "Box filter and its relatives"


def holed() -> np.ndarray:
    """10 x 10: a bright square with a hole, and one bright pixel below."""
    image = np.zeros((10, 10), dtype=np.float32)
    image[2:7, 3:8] = 90
    image[5, 4] = 0
    image[8, 2] = 90
    return image


def over(unit: nw.Bank, image: np.ndarray) -> np.ndarray:
    """The unit run over one grey image: (H, W) -> (n, H', W')."""
    return unit.module((1, *image.shape))(torch.tensor(image)[None, None])[0].numpy()


def main(board: Board) -> None:
    """Shows the box filter in numbers, then the classic filters on a photograph."""
    image = holed()
    mean = over(nw.FilterBank("box", padding="valid"), image)[0]
    board.say("A 3 x 3 box of ninths: edges become slopes, the hole fills, the single pixel fades.")
    board.matrices(("image", image.astype(int)), ("mean of 3 x 3", mean.round().astype(int)))
    picture = photo()
    made = [(name, over(nw.FilterBank(name, border="replicate"), picture)[0])
            for name in ("box", "gaussian", "sharpen", "emboss")]  # fmt: skip
    board.say("On a photograph. What has no mean (Laplacian, Sobel) is drawn around grey.")
    (laplacian,) = over(nw.FilterBank("laplacian", border="replicate"), picture)
    right, down = over(nw.FilterBank("sobel", border="replicate"), picture)
    board.pictures(
        ("photograph", picture),
        *made,
        ("laplacian", 0.5 + laplacian / 2),
        ("sobel, to the right", 0.5 + right / 4),
        ("sobel, down", 0.5 + down / 4),
        ("sobel, length", np.hypot(right, down) / 2),
        width=300,
    )


if __name__ == "__main__":
    Board.run(main)
