"""What became of an approach: its history, its figures on validation, its model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import numpy as np
from sklearn.metrics import log_loss
from torch import nn

from netwright.train.approach import Approach

__all__ = ["DIVERGED", "Clock", "Outcome", "on_validation"]

DIVERGED = 1e9
"""Stands for a loss that is not finite: JSON has no word for it, and it ranks last."""


@dataclass
class Clock:
    """Seconds spent on a run, the processes before this one included; `limit` may be None."""

    limit: float | None
    before: float = 0.0
    began: float = field(default_factory=monotonic)

    @property
    def spent(self) -> float:
        """Seconds since the run began, pauses left out."""
        return self.before + monotonic() - self.began

    @property
    def left(self) -> float:
        """Seconds that are left; without a limit, endless."""
        return float("inf") if self.limit is None else self.limit - self.spent


@dataclass(frozen=True)
class Outcome:
    """One entry of `history` an epoch, or one for a probe; `model` makes the trained module.

    With more `folds` than one the figures are of images that were left out in turn. `final` makes
    the module that learnt once more, from the images of validation as well, where one did.
    """

    approach: Approach
    history: list[dict[str, Any]]
    model: Callable[[], nn.Module] = field(repr=False, compare=False)
    rung: int = 0
    folds: int = 1
    final: Callable[[], nn.Module] | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The approach's."""
        return self.approach.name

    @property
    def last(self) -> dict[str, Any]:
        """The figures at the end."""
        return self.history[-1]

    @property
    def rank(self) -> tuple[float, float]:
        """Smaller is better: accuracy on validation, then loss."""
        return (-self.last["val_accuracy"], self.last["val_loss"])

    @property
    def diverged(self) -> bool:
        """Whether its loss stopped being finite."""
        return bool(self.history) and self.last["val_loss"] == DIVERGED

    @property
    def complete(self) -> bool:
        """Whether all its epochs were trained."""
        return len(self.history) >= self.approach.epochs


def on_validation(truth: np.ndarray, shares: np.ndarray) -> dict[str, float]:
    """Loss and accuracy on validation, for a history."""
    if not np.isfinite(shares).all():
        return {"val_loss": DIVERGED, "val_accuracy": 0.0}
    loss = log_loss(truth, shares.clip(1e-12), labels=range(shares.shape[1]))
    return {"val_loss": float(loss), "val_accuracy": float((shares.argmax(1) == truth).mean())}
