"""Bayesian optimisation of a score and of costs at once."""

from __future__ import annotations

import random as rng
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netwright.search.gaussian import propose
from netwright.search.strategy import Proposal, Strategy, complete, named, warm_up
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["ParEGO"]


TINY = 1e-12
"""Costs below it count as that."""


@named("parego")
@dataclass(frozen=True)
class ParEGO(Strategy):
    """The net from which a Gaussian process expects the largest improvement of a weighted sum of
    score and costs, the weights drawn anew for each, so that all of the front is looked for
    (Knowles 2006). Costs count by their logarithms.

    start: trials at random before the first prediction
    costs: what is minimised beside: `params`, `macs` or `latency`, as it is predicted here
    """

    start: int = 10
    costs: tuple[str, ...] = ("macs",)

    def weighs(self) -> tuple[str, ...]:
        return self.costs

    def ask(self, space: Space, trials: Sequence[Trial], random: rng.Random) -> Proposal:
        if first := warm_up(space, trials, random, self.start, 2):
            return first
        done = complete(trials)
        aims = [_unit([trial.points for trial in done])]
        aims += [
            _unit([-np.log(max(trial.cost(name), TINY)) for trial in done]) for name in self.costs
        ]
        # Uniform on the simplex.
        weights = [random.expovariate(1.0) for _ in aims]
        weights = [weight / sum(weights) for weight in weights]
        parts = [weight * aim for weight, aim in zip(weights, aims, strict=True)]
        scores = np.min(parts, axis=0) + 0.05 * np.sum(parts, axis=0)
        return Proposal(propose(space, trials, [float(score) for score in scores], random),
                        note={"weights": [round(weight, 3) for weight in weights]})  # fmt: skip


def _unit(values: Sequence[float]) -> np.ndarray:
    """Values from 0 to 1."""
    array = np.array(values, float)
    spread = array.max() - array.min()
    return (array - array.min()) / (spread if spread > 0 else 1.0)
