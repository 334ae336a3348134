"""Integrated gradients that add up: the way is cut finer where the slope is not yet enough."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from netwright.look.watch import Watch, gradient

__all__ = ["integrated"]

STEPS = 32
"""Pieces of the way at first."""
MOST = 4096
"""Pieces at most; what is left unexplained then is reported."""
TOLERANCE = 5e-5
"""Part of the logits' difference, or of 1, that may stay unexplained."""
BATCH = 16


class _Piece(NamedTuple):
    """A piece of the way from a to b, how far the logit is from its middle's slope, and what that
    slope gives.
    """

    a: float
    b: float
    error: float
    share: Tensor


def integrated(watch: Watch, x: Tensor, baseline: Tensor, target: int) -> tuple[Tensor, float]:
    """(1, C, H, W) whose sum is logit(x) - logit(baseline), but for the error returned.

    The slope in the middle of each piece stands for the piece. As the logit is known at its
    ends, so is its error: the worst pieces are halved until all together are small. A net of
    ReLUs is linear between kinks, so few pieces need it (after Sundararajan et al. 2017).
    """
    way = x - baseline
    scores: dict[float, float] = {}

    def score(points: list[float]) -> None:
        for at in range(0, len(points), BATCH):
            some = points[at : at + BATCH]
            with torch.no_grad():
                values = watch(torch.cat([baseline + t * way for t in some]))[:, target].tolist()
            scores.update(zip(some, values, strict=True))

    def pieces(spans: list[tuple[float, float]]) -> list[_Piece]:
        cut: list[_Piece] = []
        for at in range(0, len(spans), BATCH):
            some = spans[at : at + BATCH]
            middles = torch.cat([baseline + (a + b) / 2 * way for a, b in some])
            slopes = gradient(watch, middles, target)
            for (a, b), slope in zip(some, slopes, strict=True):
                share = (b - a) * slope * way[0]
                cut.append(_Piece(a, b, scores[b] - scores[a] - float(share.double().sum()), share))
        return cut

    edges = [i / STEPS for i in range(STEPS + 1)]
    score(edges)
    cut = pieces(list(zip(edges, edges[1:], strict=False)))
    allowed = TOLERANCE * max(1.0, abs(scores[1.0] - scores[0.0]))
    total = torch.zeros_like(x[0], dtype=torch.float64)
    error, count = 0.0, len(cut)
    while cut:
        cut.sort(key=lambda piece: abs(piece.error))
        rest = 0.0
        fine: list[_Piece] = []
        while cut and rest + abs(cut[0].error) <= allowed / 2:
            rest += abs(cut[0].error)
            fine.append(cut.pop(0))
        if count + len(cut) > MOST:
            fine, cut = [*fine, *cut], []
        allowed -= rest
        for piece in fine:
            total += piece.share
            error += piece.error
        halves = [span for p in cut for span in ((p.a, (p.a + p.b) / 2), ((p.a + p.b) / 2, p.b))]
        score([(p.a + p.b) / 2 for p in cut])
        count += len(cut)
        cut = pieces(halves)
    return total[None], abs(error)
