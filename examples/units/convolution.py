"""Convolution by hand: a window slides, products are summed.

python examples/units/convolution.py
"""

from __future__ import annotations

import numpy as np
import torch
from board import Board
from torch.nn import functional as F

TITLE = "Convolution by hand"
IMAGE = np.array(
    [[3, 0, 1, 2, 4, 7], [1, 5, 8, 9, 3, 1], [2, 7, 2, 5, 1, 3],
     [0, 1, 3, 1, 7, 8], [4, 2, 1, 6, 2, 8], [2, 4, 5, 2, 3, 9]]
)  # fmt: skip
KERNEL = np.array([[1, 0, -1]] * 3)


def correlate(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """What every net calls convolution, one position after the other."""
    k = len(kernel)
    n = len(image) - k + 1
    result = np.zeros((n, n), dtype=image.dtype)
    for i in range(n):
        for j in range(n):
            result[i, j] = (image[i : i + k, j : j + k] * kernel).sum()
    return result


def main(board: Board) -> None:
    """Shows the vertical-edge example, its first sum, and the kernel turned round."""
    result = correlate(IMAGE, KERNEL)
    board.say(
        "A kernel that is light on the left and dark on the right finds vertical edges. "
        "It fits a 6 x 6 image at 6 - 3 + 1 = 4 places along each axis."
    )
    board.matrices(("image", IMAGE), ("kernel", KERNEL), ("result", result))
    left, right = IMAGE[:3, 0], IMAGE[:3, 2]
    plus, minus = (" + ".join(map(str, side)) for side in (left, right))
    board.lines(f"({plus}) - ({minus}) = {left.sum() - right.sum()}")
    tensors = [torch.tensor(a).double()[None, None] for a in (IMAGE, KERNEL)]
    same = np.array_equal(F.conv2d(*tensors)[0, 0].numpy(), result)
    board.say(
        f"torch.nn.functional.conv2d gives the same: {same}. Mathematics calls this "
        "correlation; convolution turns the kernel round first, which here turns the "
        "sign:"
    )
    board.matrices(("the kernel turned round", KERNEL[::-1, ::-1]),
                   ("convolution", correlate(IMAGE, KERNEL[::-1, ::-1])))  # fmt: skip


if __name__ == "__main__":
    Board.run(main)
