"""A strategy with random search beside it, so that every search can say what it gained."""

from __future__ import annotations

import random as rng
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from netwright.search.strategy import RANDOM, Learnt, Proposal, Strategy, drawn, longest, taken
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["Beside", "at_random", "best_of", "given", "proposed"]

DEFAULT = "default"
"""What a note says a net is `from` that was given."""


@dataclass(frozen=True)
class Beside(Strategy):
    """Some given nets, then those of another strategy, with one at random now and then.

    strategy: the other
    every: one trial of so many is at random; 0 for none
    first: codes to begin with
    """

    strategy: Strategy
    every: int = 5
    first: tuple[str, ...] = ()

    def check(self, space: Space, evaluator: object) -> None:
        self.strategy.check(space, evaluator)

    def weighs(self) -> tuple[str, ...]:
        return self.strategy.weighs()

    def prepare(self, space: Space, evaluator: object, **given: Any) -> Learnt:
        return self.strategy.prepare(space, evaluator, **given)

    def prepared(self, learnt: Learnt) -> Strategy:
        return replace(self, strategy=self.strategy.prepared(learnt))

    def ask(self, space: Space, trials: Sequence[Trial], random: rng.Random) -> Proposal:
        asked = taken(trials)
        for code in self.first:
            if space.canonical(code) not in asked:
                return Proposal(code, note={"from": DEFAULT})
        if self.every and len(trials) % self.every == self.every - 1:
            return drawn(space, trials, random)
        return self.strategy.ask(space, trials, random)


def at_random(trials: Sequence[Trial]) -> list[Trial]:
    """The complete trials of the longest training that were drawn at random."""
    return [trial for trial in longest(trials) if trial.note.get("from") == RANDOM]


def given(trials: Sequence[Trial]) -> list[Trial]:
    """Those whose nets the search was begun with."""
    return [trial for trial in longest(trials) if trial.note.get("from") == DEFAULT]


def proposed(trials: Sequence[Trial]) -> list[Trial]:
    """Those that the strategy came to by what it knew."""
    return [trial for trial in longest(trials) if trial.note.get("from") not in (RANDOM, DEFAULT)]


def best_of(scores: Sequence[float], count: int) -> float:
    """The best of `count` scores drawn from these without putting back, on average.

    >>> best_of([1.0, 2.0, 3.0], 2)
    2.6666666666666665
    """
    ordered, n = sorted(scores), len(scores)
    if not 0 < count <= n:
        raise ValueError(f"count is {count}, wanted 1 to {n}")
    share, mean = count / n, 0.0  # of all draws, those in which the largest is the best
    for place in range(n - 1, count - 2, -1):
        mean += share * ordered[place]
        share *= (place - count + 1) / place if place else 0.0
    return mean
