"""Integrated gradients that add up: slopes are weighed as the logits between them say."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from netwright.look.watch import Watch, mixes, slope_of

__all__ = ["integrated"]

STEPS = 64
"""Pieces of the way at first."""
MOST = 320
"""Slopes at most; what is left unexplained then is reported."""
TOLERANCE = 2e-5
"""Part of the logits' difference, or of 1, that may stay unexplained."""
BATCH = 16


class _Piece(NamedTuple):
    """A piece of the way from a to b, the weight of the slope at a, that at b having the rest, and
    how much of the logit's rise both leave unexplained.
    """

    a: float
    b: float
    weight: float
    error: float


def integrated(watch: Watch, x: Tensor, baseline: Tensor, target: int) -> tuple[Tensor, float]:
    """(C, H, W) whose sum is logit(x) - logit(baseline), but for the error returned.

    In each piece of the way the slopes at its ends have the weights that give the logit's rise:
    exact where a net of ReLUs has one kink in the piece, which is where these weights say. Where
    no mean of the two does, the piece is halved (after Sundararajan et al. 2017).
    """
    way = _Way(watch, x, baseline, target)
    edges = [i / STEPS for i in range(STEPS + 1)]
    way.visit(edges)
    allowed = TOLERANCE * max(1.0, abs(way.logits[1.0] - way.logits[0.0]))
    pieces = [way.piece(a, b) for a, b in pairwise(edges)]
    while abs(sum(piece.error for piece in pieces)) > allowed and len(way.logits) < MOST:
        good = allowed / (4 * len(pieces))
        poor = sorted([p for p in pieces if abs(p.error) > good], key=lambda p: -abs(p.error))
        poor = poor[: MOST - len(way.logits)]
        middles = [(p.a + p.b) / 2 for p in poor]
        way.visit(middles)
        pieces = [p for p in pieces if p not in poor]
        for piece, middle in zip(poor, middles, strict=True):
            pieces += [way.piece(piece.a, middle), way.piece(middle, piece.b)]
    total = torch.zeros_like(x[0], dtype=torch.float64)
    for a, b, weight, _ in pieces:
        total += (b - a) * (weight * way.slopes[a] + (1 - weight) * way.slopes[b]).to(total)
    return total * way.step[0], abs(sum(piece.error for piece in pieces))


class _Way:
    """The straight way from a baseline at 0 to an image at 1: logits and slopes met on it, and
    the rates at which the logit rises there.
    """

    def __init__(self, watch: Watch, x: Tensor, baseline: Tensor, target: int) -> None:
        self.watch, self.baseline, self.step, self.target = watch, baseline, x - baseline, target
        self.logits: dict[float, float] = {}
        self.slopes: dict[float, Tensor] = {}
        self.rates: dict[float, float] = {}
        self.batch = 1 if mixes(watch, x) else BATCH

    def visit(self, points: Sequence[float]) -> None:
        """Notes logits and slopes at these points."""
        for start in range(0, len(points), self.batch):
            some = points[start : start + self.batch]
            x = torch.cat([self.baseline + t * self.step for t in some]).requires_grad_()
            logits = self.watch(x)[:, self.target]
            slopes = slope_of(self.watch, logits.sum(), x)
            rates = (slopes.double() * self.step.double()).flatten(1).sum(1)
            self.logits.update(zip(some, logits.tolist(), strict=True))
            self.slopes.update(zip(some, slopes.unbind(), strict=True))
            self.rates.update(zip(some, rates.tolist(), strict=True))

    def piece(self, a: float, b: float) -> _Piece:
        """The piece between two points that were visited."""
        rise = (self.logits[b] - self.logits[a]) / (b - a)
        first, last = self.rates[a], self.rates[b]
        weight = 0.5 if first == last else min(max((rise - last) / (first - last), 0.0), 1.0)
        return _Piece(a, b, weight, (b - a) * (rise - weight * first - (1 - weight) * last))
