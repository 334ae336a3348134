"""Codes that a predictor may choose from."""

from __future__ import annotations

import random as rng
from collections.abc import Sequence

from netwright.search.strategy import complete, exhausted, taken
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["candidates"]

WHOLE = 1000
"""Functions of a space that are candidates all at once; of larger ones as many at random."""
FRESH = 50
"""Codes that are drawn anew from a space that is too large to look at."""
TOP = 10
"""Trials whose neighbours are candidates."""
NEAR = 40
"""Neighbours of each."""


def candidates(
    space: Space,
    trials: Sequence[Trial],
    random: rng.Random,
    known: Sequence[str],
    top: Sequence[str] | None = None,
) -> list[str]:
    """Codes of functions that are in no trial, in an order that follows from the arguments: some
    from everywhere, and neighbours of the best. Raises `Exhausted` where there is none.

    known: codes of a large space that are always candidates
    top: codes whose neighbours are; else those of the highest scores
    """
    seen = taken(trials)
    found = dict[str, str]()

    def offer(code: str) -> None:
        key = space.canonical(code)
        if key not in seen and key not in found:
            found[key] = space.preferred(code)

    if top is None:
        best = sorted(complete(trials), key=lambda trial: -(trial.score or 0.0))
        top = [trial.code for trial in best]
    for code in top[:TOP]:
        near = space.neighbours(code)
        for other in random.sample(near, min(NEAR, len(near))):
            offer(other)
    functions = space.functions
    if functions is not None:
        codes = list(functions.values())
        for code in random.sample(codes, min(WHOLE, len(codes))):
            offer(code)
        if not found:
            for code in codes:
                offer(code)
    else:
        for code in [*known, *[space.sample(random) for _ in range(FRESH)]]:
            offer(code)
    if not found:
        raise exhausted(space, len(seen))
    return list(found.values())
