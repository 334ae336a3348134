"""Convolution as a matrix: Toeplitz, circulant, and their blocks over images.

python examples/units/matrices.py
"""

from __future__ import annotations

import numpy as np
import torch
from board import Board, signed
from torch.nn import functional as F

from netwright.look import circulant, conv_matrix, eigenvalues, toeplitz

TITLE = "Convolution is a matrix"


def main(board: Board) -> None:
    """Shows {1, 2, 2} * {1, -1} full and circular, a 2-D matrix, and its spectrum."""
    x, kernel = torch.tensor([1, 2, 2]), torch.tensor([1, -1])
    board.say(
        "Every row of a Toeplitz matrix is the one above, one step to the right. "
        "{1, 2, 2} * {1, -1}, full, and circular over 3 points:"
    )
    for name, matrix in (("full", toeplitz(kernel, 3)), ("circular", circulant(kernel, 3))):
        dense = matrix.to_dense()
        board.matrices((name, dense.numpy()), ("x", x[:, None].numpy()),
                       (f"{name} result", (dense @ x)[:, None].numpy()))  # fmt: skip

    image, blur = torch.rand(8, 8, dtype=torch.float64), torch.tensor([[1.0, 2, 1]] * 3).double()
    board.say(
        "Over images each diagonal becomes a diagonal of blocks, each of them Toeplitz: "
        "a 3 x 3 kernel over 8 x 8 pixels, borders circular, cut off, and padded."
    )
    layer = conv_matrix(blur[None, None], 8, padding=1)
    board.pictures(
        ("doubly block circulant: 64 x 64", signed(circulant(blur, 8).to_dense().numpy())),
        ("valid: 36 x 64", signed(toeplitz(blur, 8, "valid").to_dense().numpy())),
        ("nn.Conv2d(padding=1): 64 x 64", signed(layer.to_dense().numpy())),
        width=256,
    )
    y = F.conv2d(image[None, None], blur[None, None], padding=1).flatten()
    back = F.conv_transpose2d(y.reshape(1, 1, 8, 8), blur[None, None], padding=1).flatten()
    board.lines(
        f"largest difference from conv2d: {(layer @ image.flatten() - y).abs().max():.1g}\n"
        "largest difference of the transposed matrix from conv_transpose2d: "
        f"{(layer.T @ y - back).abs().max():.1g}"
    )

    values = eigenvalues(torch.tensor([1.0, -1]), 8)
    found = np.linalg.eigvals(circulant(torch.tensor([1.0, -1]), 8).to_dense().numpy())
    board.say(
        "The eigenvalues of a circulant matrix are the Fourier transform of its kernel, so "
        "circular convolution multiplies spectra. Of {1, -1} over 8 points, by size:"
    )
    board.lines(
        f"Fourier transform  {np.sort(np.abs(values.numpy())).round(3)}\n"
        f"numpy's eigvals    {np.sort(np.abs(found)).round(3)}"
    )


if __name__ == "__main__":
    Board.run(main)
