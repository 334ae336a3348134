"""Integrated gradients that add up: slopes are weighed as the logits between them say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from netwright.look.pace import EARLY, Pace
from netwright.look.watch import Watch, mixes, slope_of

__all__ = ["integrated"]

STEPS = 64
"""Pieces of the way at first."""
MOST = 320
"""Slopes at most; what is left unexplained then is reported."""
TOLERANCE = 2e-5
"""Part of the logits' difference, or of 1, that may stay unexplained."""
BATCH = 16


class _Point(NamedTuple):
    """The logit and its slope at a point of the way, and the rate at which it rises there."""

    logit: float
    slope: Tensor
    rate: float


class _Piece(NamedTuple):
    """A piece of the way from a to b, the weight of the slope at a, that at b having the rest, and
    how much of the logit's rise both leave unexplained.
    """

    a: float
    b: float
    weight: float
    error: float


def integrated(
    watch: Watch, x: Tensor, baseline: Tensor, target: int, pace: Pace
) -> tuple[Tensor, float, tuple[str, ...]]:
    """(C, H, W) whose sum is logit(x) - logit(baseline), but for the error returned; and what
    there is to say where it was stopped early.

    In each piece of the way the slopes at its ends have the weights that give the logit's rise:
    exact where a net of ReLUs has one kink in the piece, which is where these weights say. Where
    no mean of the two does, the piece is halved (after Sundararajan et al. 2017). The slopes go
    from coarse to fine, so that those there are always cover the whole way.
    """
    way = _Way(watch, x, baseline, target)
    with pace:
        for points in pace.over(_wanted(way), len):
            way.visit(points)
    total = torch.zeros_like(x[0], dtype=torch.float64)
    for a, b, weight, _ in way.pieces:
        first, last = way.points[a].slope, way.points[b].slope
        total += (b - a) * (weight * first + (1 - weight) * last).to(total)
    note = (f"{EARLY}, after {len(way.points)} slopes: of {way.rise:.3g} that the logit "
            f"rises {way.error:.2g} is unexplained")  # fmt: skip
    return total * way.step[0], way.error, (note,) if pace.early else ()


def _wanted(way: _Way) -> Iterator[list[float]]:
    """Points to visit, in batches: the ends of the way, halves of halves, then the middles of
    pieces that explain their rise poorly, as long as all together do.
    """
    points, parts = [0.0, 1.0], 1
    while parts < STEPS:
        points += [(i + 0.5) / parts for i in range(parts)]
        parts *= 2
    first = max(2, way.batch)  # both ends
    yield points[:first]
    yield from _cut(points[first:], way.batch)
    allowed = TOLERANCE * max(1.0, abs(way.rise))
    while way.error > allowed and len(way.points) < MOST:
        good = allowed / (4 * len(way.pieces))
        poor = sorted([p for p in way.pieces if abs(p.error) > good], key=lambda p: -abs(p.error))
        middles = [(p.a + p.b) / 2 for p in poor[: MOST - len(way.points)]]
        yield from _cut(middles, way.batch)


def _cut(points: list[float], size: int) -> list[list[float]]:
    return [points[start : start + size] for start in range(0, len(points), size)]


class _Way:
    """The straight way from a baseline at 0 to an image at 1, and the points visited on it."""

    def __init__(self, watch: Watch, x: Tensor, baseline: Tensor, target: int) -> None:
        self.watch, self.baseline, self.step, self.target = watch, baseline, x - baseline, target
        self.points: dict[float, _Point] = {}
        self.batch = 1 if mixes(watch, x) else BATCH

    @property
    def rise(self) -> float:
        """The logit's, over the whole way."""
        return self.points[1.0].logit - self.points[0.0].logit

    @property
    def pieces(self) -> list[_Piece]:
        """The pieces between neighbours of the points that were visited."""
        return [self._piece(a, b) for a, b in pairwise(sorted(self.points))]

    @property
    def error(self) -> float:
        """How much of the rise all pieces together leave unexplained."""
        return abs(sum(piece.error for piece in self.pieces))

    def visit(self, points: Sequence[float]) -> None:
        """Notes logits and slopes at these points."""
        for some in _cut([*points], self.batch):
            x = torch.cat([self.baseline + t * self.step for t in some]).requires_grad_()
            logits = self.watch(x)[:, self.target]
            slopes = slope_of(self.watch, logits.sum(), x)
            rates = (slopes.double() * self.step.double()).flatten(1).sum(1)
            values = zip(logits.tolist(), slopes.unbind(), rates.tolist(), strict=True)
            self.points.update(zip(some, [_Point(*each) for each in values], strict=True))

    def _piece(self, a: float, b: float) -> _Piece:
        rise = (self.points[b].logit - self.points[a].logit) / (b - a)
        first, last = self.points[a].rate, self.points[b].rate
        weight = 0.5 if first == last else min(max((rise - last) / (first - last), 0.0), 1.0)
        return _Piece(a, b, weight, (b - a) * (rise - weight * first - (1 - weight) * last))
