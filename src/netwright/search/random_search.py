"""Random search: what every other strategy has to beat."""

from __future__ import annotations

import random as rng
from collections.abc import Sequence
from dataclasses import dataclass

from netwright.search.strategy import Proposal, Strategy, drawn, named
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["RandomSearch"]


@named("random")
@dataclass(frozen=True)
class RandomSearch(Strategy):
    """A net at random, never a function twice (Li & Talwalkar 2019, arXiv:1902.07638)."""

    def ask(self, space: Space, trials: Sequence[Trial], random: rng.Random) -> Proposal:
        return drawn(space, trials, random)
