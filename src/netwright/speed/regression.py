"""Rates of a machine from what was measured on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LinearRegression

__all__ = ["rates"]


def rates(amounts: Sequence[Sequence[float]], seconds: Sequence[float]) -> tuple[float, ...]:
    """Seconds for one of each amount, none below 0, with the least relative errors: what is
    small matters as much.

    >>> rates([(1, 0), (1, 1000), (1, 4000)], [2.0, 3.0, 6.0])
    (2.0, 0.001)
    """
    shares = np.array(amounts, float) / np.array(seconds)[:, None]
    scale = np.maximum(shares.max(0), 1e-300)
    fit = LinearRegression(positive=True, fit_intercept=False)
    fit.fit(shares / scale, np.ones(len(shares)))
    return tuple(float(f"{rate:.4g}") for rate in fit.coef_ / scale)
