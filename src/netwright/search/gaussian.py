"""Bayesian optimisation: a Gaussian process over nets, and the improvement it expects."""

from __future__ import annotations

import random as rng
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, solve_triangular
from scipy.special import ndtr

from netwright.search.candidates import candidates
from netwright.search.encoding import Encoding, encoding
from netwright.search.strategy import Proposal, Strategy, complete, named, warm_up
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["GaussianProcess", "clipped"]

Array = NDArray[np.float64]
NOISES = (0.001, 0.01, 0.05, 0.2, 0.5)
"""Variances of a score's noise that are tried, the spread of scores being 1."""
FITTED = 150
"""Trials that a kernel is fitted to at most."""
SCALES = (0.1, 0.3, 1.0, 3.0)
"""Factors of the typical squared distance that are tried."""


class _Kernel(NamedTuple):
    """Weights of the groups of an encoding, and the variance of the noise."""

    weights: tuple[float, ...]
    noise: float


@named("default")
@named("bayesian")
@dataclass(frozen=True)
class GaussianProcess(Strategy):
    """The net from which a Gaussian process expects the largest improvement.

    Nets are near where their choices, the operations on their paths and their costs are; how much
    each counts, and how noisy scores are, is what makes the scores so far most likely. Scores far
    below the median count as not so far, failed trials as the worst, and running ones as what is
    expected of them (Jones et al. 1998; White et al. 2019, BANANAS, arXiv:1910.11858, for paths;
    Ginsbourger et al. 2010 for running trials).

    start: trials at random before the first prediction
    """

    start: int = 10

    def ask(self, space: Space, trials: Sequence[Trial], random: rng.Random) -> Proposal:
        if first := warm_up(space, trials, random, self.start, 2):
            return first
        scores = [trial.points for trial in complete(trials)]
        return Proposal(propose(space, trials, scores, random))


def propose(
    space: Space, trials: Sequence[Trial], scores: Sequence[float], random: rng.Random
) -> str:
    """The code from which a Gaussian process expects the largest improvement.

    scores: what is maximised, one a complete trial
    """
    code = encoding(space)
    y = clipped(np.array(scores))
    seen = [trial.key for trial in trials if trial.state == "complete"]
    kernel = _likeliest(code, *_prefix(seen, scores))
    failed = [trial.key for trial in trials if trial.state == "failed"]
    x = code.rows([*seen, *failed])
    y = np.concatenate([y, np.full(len(failed), y.min())])
    process = _Process(code, kernel, x, y)
    running = [trial.key for trial in trials if trial.state == "running"]
    if running:
        ahead = code.rows(running)
        x, y = np.concatenate([x, ahead]), np.concatenate([y, process.mean(ahead)])
        process = _Process(code, kernel, x, y)
    order = np.argsort(-y[: len(seen)], kind="stable")
    some = candidates(space, trials, random, code.reference, [seen[i] for i in order])
    mean, deviation = process.predict(code.rows(some))
    z = (mean - process.mean(x).max()) / deviation
    gain = deviation * (z * ndtr(z) + np.exp(-z * z / 2) / np.sqrt(2 * np.pi))
    # Where no gain is left that a float holds, the nearest to one.
    return some[int(np.lexsort((z, gain))[-1])]


def clipped(scores: Array) -> Array:
    """Scores of mean 0 and variance 1; those far below the median are raised, so that a net that
    learns nothing does not hide the differences between good ones.
    """
    middle, high = np.median(scores), np.quantile(scores, 0.9)
    if high > middle:
        scores = np.maximum(scores, middle - 2 * (high - middle))
    spread = scores.std()
    return (scores - scores.mean()) / (spread if spread > 0 else 1.0)


def _prefix(
    seen: Sequence[str], scores: Sequence[float]
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The trials that the kernel is fitted to: it changes slowly, so not at every one, and not to
    more than needed.
    """
    step = 5 if len(seen) < 50 else 25
    count = max(len(seen) - len(seen) % step, min(len(seen), step))
    every = -(-count // FITTED)
    return tuple(seen[:count:every]), tuple(scores[:count:every])


@lru_cache(maxsize=64)
def _likeliest(code: Encoding, seen: tuple[str, ...], scores: tuple[float, ...]) -> _Kernel:
    """The kernel under which the scores are most likely."""
    y, x, count = clipped(np.array(scores)), code.rows(seen), len(code.groups)
    squares = [_squares(x[:, group], x[:, group]) for group in code.groups]
    best, least = _Kernel((1.0 / count,) * count, NOISES[-1]), np.inf
    for weights in _weightings(count):
        k = np.exp(-sum([w * d for w, d in zip(weights, squares, strict=True)]))
        values, vectors = np.linalg.eigh(k)
        along = (vectors.T @ y) ** 2
        for noise in NOISES:
            spread = np.maximum(values, 0) + noise
            unlikely = len(y) * np.log((along / spread).mean() + 1e-12) + np.log(spread).sum()
            if unlikely < least:
                least, best = unlikely, _Kernel(weights, noise)
    return best


def _weightings(count: int) -> list[tuple[float, ...]]:
    """Weights of groups: all alike, or one ten times the others."""
    even = [(scale / count,) * count for scale in SCALES]
    one = [tuple([scale if i == group else scale / 10 for i in range(count)])
           for scale in SCALES for group in range(count)]  # fmt: skip
    return [*even, *(one if count > 1 else [])]


class _Process:
    """What is expected of nets, given `y` of those at `x`."""

    def __init__(self, code: Encoding, kernel: _Kernel, x: Array, y: Array) -> None:
        # Distances of rows scaled so are sums of the groups' weighted ones.
        self._scale = np.zeros(x.shape[1])
        for group, weight in zip(code.groups, kernel.weights, strict=True):
            self._scale[group] = np.sqrt(weight)
        self._x = x * self._scale
        covariance = np.exp(-_squares(self._x, self._x)) + kernel.noise * np.eye(len(x))
        self._lower = np.linalg.cholesky(covariance)
        self._weights = cho_solve((self._lower, True), y, check_finite=False)
        self._amplitude = float(y @ self._weights) / len(y)

    def _towards(self, at: Array) -> Array:
        return np.exp(-_squares(self._x, at * self._scale))

    def mean(self, at: Array) -> Array:
        """The expected values."""
        return self._towards(at).T @ self._weights

    def predict(self, at: Array) -> tuple[Array, Array]:
        """The expected values and their standard deviations."""
        towards = self._towards(at)
        half = solve_triangular(self._lower, towards, lower=True, check_finite=False)
        variance = self._amplitude * (1 - np.einsum("ij,ij->j", half, half))
        return towards.T @ self._weights, np.sqrt(np.maximum(variance, 1e-9))


def _squares(a: Array, b: Array) -> Array:
    """Squared distances of rows."""
    square = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * (a @ b.T)
    return np.maximum(square, 0)
