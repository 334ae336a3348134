"""Codes that a predictor may choose from."""

from __future__ import annotations

import random as rng
from collections.abc import Sequence

from netwright.search.strategy import complete, new, taken
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["candidates"]

WHOLE = 500
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
    always: Sequence[str],
    top: Sequence[str] | None = None,
) -> list[str]:
    """Codes of functions that are in no trial, in an order that follows from the arguments: some
    from everywhere, and neighbours of the best. Raises `Exhausted` where there is none.

    always: codes of a large space that are always candidates
    top: codes whose neighbours are; else those of the highest scores
    """
    if top is None:
        best = sorted(complete(trials), key=lambda trial: -trial.points)
        top = [trial.code for trial in best]
    near = list[str]()
    for code in top[:TOP]:
        around = space.neighbours(code)
        near += random.sample(around, min(NEAR, len(around)))
    seen, functions = taken(trials), space.functions
    fresh = _new(space, near, seen)
    if functions is None:
        fresh |= _new(space, [*always, *[space.sample(random) for _ in range(FRESH)]], seen)
    else:
        keys = list(functions)
        some = random.sample(keys, min(WHOLE, len(keys)))
        fresh |= {key: functions[key] for key in some if key not in seen}
        fresh = fresh or {key: functions[key] for key in keys if key not in seen}
    return list(fresh.values()) or [new(space, trials, random)]


def _new(space: Space, codes: Sequence[str], seen: set[str]) -> dict[str, str]:
    """The code to ask, by function, of functions that were not seen."""
    keys = {space.canonical(code): code for code in codes}
    return {key: space.preferred(code) for key, code in keys.items() if key not in seen}
