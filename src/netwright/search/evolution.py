"""Evolution: mutants of the best of a few, again and again."""

from __future__ import annotations

import random as rng
from collections.abc import Sequence
from dataclasses import dataclass

from netwright.errors import SearchError
from netwright.search.strategy import Proposal, Strategy, complete, named, new, warm_up
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["Evolution"]


@named("evolution")
@named("hierarchical-evolution", ages=False)
@dataclass(frozen=True)
class Evolution(Strategy):
    """Of `tournament` different nets of the population the best has a child that differs in one
    choice. Regularised: the population are the latest nets, the oldest dies whatever its score
    (Real et al. 2018, arXiv:1802.01548).

    `hierarchical-evolution` lets nobody die and is meant for spaces of motifs (Liu et al. 2017,
    arXiv:1711.00436).

    The defaults suit searches of a hundred trials, of which the first population is at random.
    The papers evaluate 20,000 nets by a population of 100 and tournaments of 25, and 7,000 by a
    population of 200 and tournaments of 10.

    population: how many live, and how many are at random to begin with
    tournament: how many of them are drawn
    ages: whether the oldest dies; else all stay
    """

    population: int = 20
    tournament: int = 10
    ages: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.tournament <= self.population:
            raise SearchError(f"{self}: a tournament of {self.tournament} is not drawn from a "
                              f"population of {self.population}")  # fmt: skip

    def ask(self, space: Space, trials: Sequence[Trial], random: rng.Random) -> Proposal:
        if first := warm_up(space, trials, random, self.population):
            return first
        done = complete(trials)
        alive = done[-self.population :] if self.ages else done
        drawn = random.sample(alive, min(self.tournament, len(alive)))
        parent = max(drawn, key=lambda trial: trial.points)
        return Proposal(offspring(space, trials, parent.code, random),
                        note={"parent": parent.number})  # fmt: skip


def offspring(space: Space, trials: Sequence[Trial], parent: str, random: rng.Random) -> str:
    """A mutant of a code that is in no trial: one mutation away where there is one, else more."""
    child, steps = parent, 0

    def draw() -> str:
        nonlocal child, steps
        steps += 1
        child = space.mutate(parent if steps % 50 else child, random)
        return child

    return new(space, trials, random, draw)
