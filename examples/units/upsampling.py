"""Upsampling: nearest, bilinear, transposed convolution and its checkerboard.

python examples/units/upsampling.py FOLDER
"""

from __future__ import annotations

import numpy as np
import torch
from board import Board, photo, signed

import netwright as nw

TITLE = "Upsampling"


def main(board: Board) -> None:
    """Shows a 2 x 2 image twice as large, the checkerboard, and a photograph."""
    small = torch.tensor([[1.0, 2], [3, 4]])[None, None]
    made = {mode: nw.Upsample(2, mode).module((1, 2, 2))(small)[0, 0].numpy()
            for mode in ("nearest", "linear")}  # fmt: skip
    board.say(
        "Pixels are squares, and their values stand at the centres: a new centre lies a "
        "quarter of a pixel off the old one, so bilinear weights are 3/4 and 1/4."
    )
    board.matrices(("image", small[0, 0].numpy()), ("nearest", made["nearest"]),
                   ("bilinear", made["linear"]))  # fmt: skip

    board.say(
        "A transposed convolution paints its kernel at every pixel. Ones over ones count how "
        "often a pixel is painted: a kernel of 3 at stride 2 does not divide evenly and "
        "leaves a checkerboard, a kernel of 4 does not (Odena et al. 2016)."
    )
    counts: list[tuple[str, np.ndarray]] = []
    for kernel in (3, 4):
        module = nw.TransposedConv(1, kernel, stride=2, bias=False).module((1, 4, 4))
        torch.nn.init.ones_(module.weight)
        painted = module(torch.ones(1, 1, 4, 4))[0, 0].detach().numpy().astype(int)
        counts.append((f"kernel {kernel}, stride 2", painted))
    board.matrices(*counts)

    picture = torch.tensor(photo(640)[150:230, 230:330])[None, None]
    shown = [(mode, nw.Upsample(4, mode).module((1, 80, 100))(picture)[0, 0].numpy())
             for mode in ("nearest", "linear")]  # fmt: skip
    board.say("A detail of the photograph, four times as large:")
    board.pictures(*shown, ("nearest less linear", signed(shown[0][1] - shown[1][1])), width=300)


if __name__ == "__main__":
    Board.run(main)
