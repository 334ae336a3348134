"""Local search: up from where one stands, and anew from elsewhere when nothing is higher."""

from __future__ import annotations

import random as rng
from collections.abc import Sequence
from dataclasses import dataclass

from netwright.search.strategy import Proposal, Strategy, complete, drawn, named, taken
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["LocalSearch"]


@named("local-search")
@dataclass(frozen=True)
class LocalSearch(Strategy):
    """Neighbours of the best of a walk, in random order, until one is better; when none is left,
    a new walk from a net at random (White et al. 2020, arXiv:2005.02960).

    start: nets at random from the best of which the first walk begins
    """

    start: int = 10

    def ask(self, space: Space, trials: Sequence[Trial], random: rng.Random) -> Proposal:
        walk = max([trial.note.get("walk", 0) for trial in trials], default=0)
        mine = [trial for trial in trials if trial.note.get("walk", 0) == walk]
        done = complete(mine)
        begun = len(trials) >= self.start and done
        if not begun:
            return drawn(space, trials, random, walk=walk)
        best = max(done, key=lambda trial: trial.points)
        seen = taken(trials)
        near = [code for code in space.neighbours(best.code) if space.canonical(code) not in seen]
        if near:
            code = space.preferred(near[random.randrange(len(near))])
            return Proposal(code, note={"walk": walk, "parent": best.number})
        return drawn(space, trials, random, walk=walk + 1)
