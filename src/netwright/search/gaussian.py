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
from netwright.search.strategy import Proposal, Strategy, complete, named, new
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["GaussianProcess", "clipped"]

Array = NDArray[np.float64]
NOISES = (0.001, 0.01, 0.05, 0.2, 0.5)
"""Variances of a score's noise that are tried, the spread of scores being 1."""
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
        done = complete(trials)
        if len(trials) < self.start or len(done) < 2:
            return Proposal(new(space, trials, random), note={"from": "random"})
        scores = [trial.score or 0.0 for trial in done]
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
    kernel = _fitted(code, *_prefix(seen, scores))
    failed = [trial.key for trial in trials if trial.state == "failed"]
    x = code.rows([*seen, *failed])
    y = np.concatenate([y, np.full(len(failed), y.min())])
    running = [trial.key for trial in trials if trial.state == "running"]
    if running:
        ahead = code.rows(running)
        mean, _ = _posterior(code, kernel, x, y, ahead)
        x, y = np.concatenate([x, ahead]), np.concatenate([y, mean])
    order = np.argsort(-y[: len(seen)], kind="stable")
    top = [seen[i] for i in order[:10]]
    some = candidates(space, trials, random, code.reference, top)
    mean, deviation = _posterior(code, kernel, x, y, code.rows(some))
    best = _posterior(code, kernel, x, y, x)[0].max()
    z = (mean - best) / deviation
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
    """The trials that the kernel is fitted to: it changes slowly, so not at every one."""
    step = 5 if len(seen) < 50 else 25
    count = max(len(seen) - len(seen) % step, min(len(seen), step))
    return tuple(seen[:count]), tuple(scores[:count])


@lru_cache(maxsize=64)
def _fitted(code: Encoding, seen: tuple[str, ...], scores: tuple[float, ...]) -> _Kernel:
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


def _posterior(
    code: Encoding, kernel: _Kernel, x: Array, y: Array, at: Array
) -> tuple[Array, Array]:
    """Mean and standard deviation of what is expected at `at`, given `y` at `x`."""
    k = _covariance(code, kernel, x, x) + kernel.noise * np.eye(len(x))
    lower = np.linalg.cholesky(k)
    towards = _covariance(code, kernel, x, at)
    half = solve_triangular(lower, towards, lower=True, check_finite=False)
    weights = cho_solve((lower, True), y, check_finite=False)
    amplitude = float(y @ weights) / len(y)
    variance = amplitude * (1 - np.einsum("ij,ij->j", half, half))
    return towards.T @ weights, np.sqrt(np.maximum(variance, 1e-9))


def _covariance(code: Encoding, kernel: _Kernel, a: Array, b: Array) -> Array:
    scale = np.zeros(a.shape[1])
    for group, weight in zip(code.groups, kernel.weights, strict=True):
        scale[group] = np.sqrt(weight)
    return np.exp(-_squares(a * scale, b * scale))


def _squares(a: Array, b: Array) -> Array:
    """Squared distances of rows."""
    square = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * (a @ b.T)
    return np.maximum(square, 0)
