"""Thompson sampling with a Bayesian linear model: cheap, and hard to fool."""

from __future__ import annotations

import random as rng
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netwright.search.candidates import candidates
from netwright.search.encoding import encoding
from netwright.search.gaussian import clipped
from netwright.search.strategy import Proposal, Strategy, complete, named, warm_up
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["RidgeThompson"]

PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Weights of the coefficients' squares, tried by generalised cross-validation."""


@named("ridge")
@dataclass(frozen=True)
class RidgeThompson(Strategy):
    """The best net under a linear model drawn from the posterior of ridge regression
    (Thompson 1933; Golub et al. 1979 for the penalty).

    start: trials at random before the first prediction
    """

    start: int = 20

    def ask(self, space: Space, trials: Sequence[Trial], random: rng.Random) -> Proposal:
        if first := warm_up(space, trials, random, self.start, 2):
            return first
        done = complete(trials)
        code = encoding(space)
        y = clipped(np.array([trial.points for trial in done]))
        x = code.rows([trial.key for trial in done])
        left, values, right = np.linalg.svd(x, full_matrices=False)
        along = left.T @ y
        best = (np.inf, PENALTIES[-1], 1.0)
        for penalty in PENALTIES:
            shrunk = values**2 / (values**2 + penalty)
            rest = y - left @ (shrunk * along)
            free = 1 - shrunk.sum() / len(y)
            best = min(best, (float((rest**2).mean()) / max(free, 0.05) ** 2, penalty,
                              float((rest**2).sum() / max(len(y) * free, 1))))  # fmt: skip
        _, penalty, noise = best
        draw = np.random.default_rng(random.getrandbits(64))
        # The posterior is wide where no trial has been: along all directions, by the penalty.
        normal = draw.standard_normal(x.shape[1]) * np.sqrt(noise / penalty)
        inside = right @ normal
        narrow = np.sqrt(penalty / (values**2 + penalty)) - 1
        weights = right.T @ (values / (values**2 + penalty) * along + narrow * inside) + normal
        some = candidates(space, trials, random, code.reference)
        return Proposal(some[int(np.argmax(code.rows(some) @ weights))])
