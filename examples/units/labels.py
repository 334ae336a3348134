"""Label smoothing: a target that is never quite certain.

python examples/units/labels.py
"""

from __future__ import annotations

import numpy as np
import torch
from board import Board
from torch.nn import functional as F

TITLE = "Label smoothing"
EPS, CLASSES, TRUE = 0.1, 5, 2


def main(board: Board) -> None:
    """Shows the target of class 2 of 5, smoothed by 0.1, and that PyTorch's loss uses it."""
    hard = np.eye(CLASSES)[TRUE]
    smooth = (1 - EPS) * hard + EPS / CLASSES
    board.say(
        f"With eps = {EPS} over K = {CLASSES} classes every class gets eps/K = "
        f"{EPS / CLASSES:g}, the true one 1 - eps + eps/K = {1 - EPS + EPS / CLASSES:g} "
        "(Szegedy et al. 2015, arXiv:1512.00567)."
    )
    board.matrices(("label", hard), ("smoothed", smooth))
    scores = torch.tensor([[0.5, -1.0, 2.0, 0.0, 1.0]], dtype=torch.float64)
    by_hand = -(torch.tensor(smooth) * scores.log_softmax(1)).sum().item()
    loss = F.cross_entropy(scores, torch.tensor([TRUE]), label_smoothing=EPS).item()
    board.lines(f"by hand  {by_hand:.6f}\nPyTorch  {loss:.6f}")
    best = np.log(smooth[TRUE] / smooth[0])
    board.say(
        f"The loss is least where the true class's score leads by ln({smooth[TRUE]:g} / "
        f"{smooth[0]:g}) = {best:.2f}: it stops growing."
    )


if __name__ == "__main__":
    Board.run(main)
