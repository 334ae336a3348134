"""Progressive search: small changes first, and a predictor says which are worth another."""

from __future__ import annotations

import random as rng
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netwright.errors import SearchError
from netwright.search.encoding import encoding
from netwright.search.gaussian import clipped
from netwright.search.strategy import Proposal, Strategy, complete, drawn, named, taken
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["Progressive"]

PENALTY = 0.3
EXPANDED = 400
"""Nets of the next level that are looked at."""


@named("progressive")
@dataclass(frozen=True)
class Progressive(Strategy):
    """From simple nets to complex ones: a level is a beam of nets, each a parent of the level
    before with one choice changed, those that an ensemble of predictors ranks first (SMBO of
    PNAS, Liu et al. 2017, arXiv:1712.00559).

    The first level is drawn at random. The ensemble are ridge regressions, each on another 4/5
    of the trials, where the paper has five networks.

    beam: nets a level
    ensemble: predictors
    """

    beam: int = 25
    ensemble: int = 5

    def __post_init__(self) -> None:
        if self.beam < 1 or self.ensemble < 1:
            raise SearchError(f"{self}: wanted a beam and an ensemble of at least 1")

    def ask(self, space: Space, trials: Sequence[Trial], random: rng.Random) -> Proposal:
        level = len(trials) // self.beam
        done = complete(trials)
        before = complete(trials[: level * self.beam])
        if level == 0 or len(before) < 2:
            return drawn(space, trials, random, level=0)
        seen = taken(trials)
        parents = sorted(before, key=lambda trial: -trial.points)[: self.beam]
        near = dict[str, tuple[str, int]]()
        for parent in parents:
            for code in space.neighbours(parent.code):
                if space.canonical(code) not in seen:
                    near.setdefault(space.canonical(code), (space.preferred(code), parent.number))
        if not near:
            return drawn(space, trials, random, level=level)
        some = list(near.values())
        some = random.sample(some, min(EXPANDED, len(some)))
        best = int(np.argmax(self._predicted(space, done, [code for code, _ in some], random)))
        code, parent = some[best]
        return Proposal(code, note={"level": level, "parent": parent})

    def _predicted(
        self, space: Space, done: list[Trial], codes: list[str], random: rng.Random
    ) -> np.ndarray:
        """What the ensemble expects of codes, on average."""
        code = encoding(space)
        x = code.rows([trial.key for trial in done])
        y = clipped(np.array([trial.points for trial in done]))
        at, total = code.rows(codes), np.zeros(len(codes))
        for _ in range(self.ensemble):
            part = random.sample(range(len(y)), max(2, 4 * len(y) // 5))
            # As many equations as trials, however many columns there are.
            kernel = x[part] @ x[part].T + PENALTY * np.eye(len(part))
            total += at @ (x[part].T @ np.linalg.solve(kernel, y[part]))
        return total
