"""Figures of a classifier from its probabilities: accuracy, calibration, confusion, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

__all__ = ["Paired", "calibration_error", "cooled", "intervals", "paired", "scores", "temperature",
           "wilson"]  # fmt: skip

BINS = 15
"""Bins of the calibration error, as in Guo et al. 2017."""
LEAST = 1e-12
RESAMPLES = 300
"""For the intervals of figures that are no shares."""


def scores(truth: np.ndarray, shares: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """All figures as JSON's own types.

    Arguments:
        truth: class numbers, (N,).
        shares: probabilities, (N, classes).
        classes: their names.
    """
    predicted = shares.argmax(1)
    every = range(len(classes))
    correct = int((predicted == truth).sum())
    figures: Any = precision_recall_fscore_support(truth, predicted, labels=every, zero_division=0)  # type: ignore[arg-type]
    precision, recall, f1, counts = figures
    columns = zip(classes, precision, recall, f1, counts, strict=True)
    there = counts > 0
    best = np.argsort(-shares, axis=1, kind="stable")[:, :5]
    record = {
        "accuracy": correct / len(truth),
        "correct": correct,
        "images": len(truth),
        "interval": wilson(correct, len(truth)),
        "intervals": intervals(truth, shares),
        "loss": float(log_loss(truth, shares.clip(LEAST), labels=every)),
        "macro_f1": float(f1[there].mean()),
        "calibration_error": calibration_error(truth, shares),
        "classes": [
            {"class": name, "precision": float(p), "recall": float(r), "f1": float(f),
             "images": int(n)}
            for name, p, r, f, n in columns
        ],
        "confusion": confusion_matrix(truth, predicted, labels=every).tolist(),
    }  # fmt: skip
    if len(classes) > 5:
        record["top5"] = float((best == truth[:, None]).any(1).mean())
    return record


def intervals(truth: np.ndarray, shares: np.ndarray) -> dict[str, tuple[float, float]]:
    """95% intervals of the figures that are no shares, by the percentiles of resamples of the
    images (Efron 1979); always the same resamples.
    """
    classes, generator = shares.shape[1], np.random.default_rng(0)
    losses = -np.log(shares.clip(LEAST)[np.arange(len(truth)), truth])
    predicted, rows = shares.argmax(1), list[tuple[float, float, float]]()
    for _ in range(RESAMPLES):
        chosen = generator.integers(0, len(truth), len(truth))
        labels, guesses = truth[chosen], predicted[chosen]
        right, actual, guessed = (np.bincount(each, minlength=classes) for each in (
            labels[labels == guesses], labels, guesses))  # fmt: skip
        f1 = (2 * right / np.maximum(actual + guessed, 1))[actual > 0].mean()
        error = calibration_error(labels, shares[chosen])
        rows.append((float(losses[chosen].mean()), float(f1), error))
    low, high = np.percentile(rows, (2.5, 97.5), axis=0).tolist()
    names = ("loss", "macro_f1", "calibration_error")
    return {name: (a, b) for name, a, b in zip(names, low, high, strict=True)}


def wilson(correct: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95% interval of a share by Wilson 1927.

    >>> [round(bound, 3) for bound in wilson(9, 10)]
    [0.596, 0.982]
    """
    share = correct / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (share * (1 - share) / count + z * z / (4 * count**2)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def calibration_error(truth: np.ndarray, shares: np.ndarray, bins: int = BINS) -> float:
    """How far confidence is from accuracy, the mean over bins of confidence weighed by their
    images (expected calibration error; Guo et al. 2017, arXiv:1706.04599, equation 3).

    >>> calibration_error(np.array([0, 1]), np.array([[0.75, 0.25], [0.75, 0.25]]))
    0.25
    """
    confidence, right = shares.max(1), shares.argmax(1) == truth
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for i in range(bins):
        inside = bin_of == i
        if inside.any():
            error += inside.mean() * abs(float(confidence[inside].mean() - right[inside].mean()))
    return float(error)


def cooled(shares: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities whose logits were divided by a temperature."""
    logits = np.log(shares.clip(LEAST)) / temperature
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def temperature(truth: np.ndarray, shares: np.ndarray) -> float:
    """The temperature with the least loss, to be found on validation (Guo et al. 2017, section
    4.2); it changes no prediction.
    """
    every = range(shares.shape[1])

    def loss(logarithm: float) -> float:
        return float(log_loss(truth, cooled(shares, np.exp(logarithm)).clip(LEAST), labels=every))

    best: Any = minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded")
    return float(np.exp(best.x))


@dataclass(frozen=True)
class Paired:
    """Two classifiers on the same images.

    `only_first` and `only_second` count images that one of them alone has right; `p` is the
    chance of a split as uneven if both were alike (McNemar 1947, the exact test); `interval` is
    that of the difference in accuracy at 95%.
    """

    images: int
    only_first: int
    only_second: int
    p: float
    interval: tuple[float, float]

    @property
    def difference(self) -> float:
        """Accuracy of the second less that of the first."""
        return (self.only_second - self.only_first) / self.images


def paired(right_first: np.ndarray, right_second: np.ndarray) -> Paired:
    """The paired test of two classifiers, given which images each has right.

    >>> first = np.array([True] * 10 + [False] * 10)
    >>> paired(first, ~first).p
    1.0
    """
    b = int((right_first & ~right_second).sum())
    c = int((~right_first & right_second).sum())
    n = len(right_first)
    p = float(binomtest(b, b + c).pvalue) if b + c else 1.0
    error = np.sqrt(max(b + c - (b - c) ** 2 / n, 0.0)) / n
    half = 1.959964 * float(error) + 1 / n * (b + c > 0)
    difference = (c - b) / n
    return Paired(n, b, c, p, (max(-1.0, difference - half), min(1.0, difference + half)))
