"""A code within a budget that next to none keeps to, by steps towards it."""

from __future__ import annotations

import random as rng
from itertools import cycle

from netwright.errors import BudgetError
from netwright.space.search_space import TRIES, UNFIT, Space

__all__ = ["descended"]

BEGINNINGS = 20
"""Codes at random among which the nearest is where it begins."""


def descended(space: Space, random: rng.Random) -> str:
    """A code that fits, reached from the nearest of some by changing one choice at a time;
    `BudgetError` where that ends before, with the nearest that was seen.
    """
    drawn = [space.write(space.arranged(space.drawn(random))) for _ in range(TRIES)]
    legal = [code for code in drawn if space.legal(space.choices(code))]
    if not legal:
        raise BudgetError(f"{space.name}: none of {TRIES:,} codes stands for a net")
    best, stuck = min(legal[:BEGINNINGS], key=space.excess), 0
    for place in cycle(range(len(space.digits))):
        if space.excess(best) <= 1:
            return best
        near = [code for code in space.near(space.choices(best), [place])
                if space.legal(space.choices(code))]  # fmt: skip
        lower = min(near, key=space.excess, default=best)
        better = space.excess(lower) < space.excess(best)
        best, stuck = (lower, 0) if better else (best, stuck + 1)
        if stuck == len(space.digits):
            break
    try:
        nearest = f"the nearest, {best}, has {space.budget.having(space.net(best).plan())}"
    except UNFIT as error:
        raise BudgetError(f"{space.name}: no code was found whose net can be planned; {best} "
                          f"cannot: {error}") from None  # fmt: skip
    raise BudgetError(f"no net of {space.name} keeps to {space.budget.describe()}; {nearest}")
