"""Pareto fronts: trials that no other beats in every respect."""

from __future__ import annotations

from collections.abc import Sequence
from operator import le

from netwright.search.strategy import longest
from netwright.search.trial import Trial

__all__ = ["front"]


def front(trials: Sequence[Trial], costs: Sequence[str] = ("params", "macs")) -> list[Trial]:
    """The complete trials of the longest training that no other beats: none has a score as high at
    costs as low and is better in one of them; by score from the highest, the earliest of equals.

    >>> cheap = Trial(0, "0", "0", "", 0.5, "complete", costs={"macs": 1})
    >>> dear = Trial(1, "1", "1", "", 0.5, "complete", costs={"macs": 2})
    >>> good = Trial(2, "2", "2", "", 0.9, "complete", costs={"macs": 3})
    >>> [trial.number for trial in front([cheap, dear, good], ["macs"])]
    [2, 0]
    """
    done = longest(trials)
    points = sorted(
        (-trial.points, *[trial.cost(name) for name in costs], trial.number, i)
        for i, trial in enumerate(done)
    )
    kept = list[tuple[float, ...]]()
    for point in points:
        # Those before it have a score at least as high.
        if not any(all(map(le, other[:-2], point[:-2])) for other in kept):
            kept.append(point)
    return [done[int(point[-1])] for point in kept]
