"""Scores in words: accuracies in percent, numbers of other evaluators as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from netwright.search.trial import Trial

__all__ = ["Measure", "after", "scored", "training"]

WHOLE = "whole"
"""The training of a trial that was not cut short."""


@dataclass(frozen=True)
class Measure:
    """How scores of a study are shown.

    accuracy: whether they are the accuracies of `Accuracy`, of which people want percent and error
    """

    accuracy: bool

    @classmethod
    def of(cls, trial: Trial) -> Self:
        """That of a trial's score; what `Accuracy` trains it keeps the recipe of."""
        return cls("recipe" in trial.record)

    @property
    def name(self) -> str:
        """What a score is."""
        return "accuracy on validation" if self.accuracy else "score"

    @property
    def unit(self) -> str:
        """The unit of `value`."""
        return "%" if self.accuracy else "score"

    @property
    def lack(self) -> str:
        """What `lacking` is."""
        return "error" if self.accuracy else "score"

    @property
    def lacking_unit(self) -> str:
        """The unit of `lacking`."""
        return "error in %" if self.accuracy else "score"

    def value(self, score: float) -> float:
        """A score as charts show it."""
        return 100 * score if self.accuracy else score

    def lacking(self, score: float) -> float:
        """The error in percent where there is one, else the score."""
        return 100 * (1 - score) if self.accuracy else score

    def text(self, score: float) -> str:
        """A score.

        >>> Measure(True).text(0.5), Measure(False).text(4099.0)
        ('50.00%', '4099')
        """
        return f"{self.value(score):.2f}%" if self.accuracy else f"{score:.6g}"

    def lacking_text(self, score: float) -> str:
        """What is lacking, without its unit."""
        return f"{self.lacking(score):.2f}" if self.accuracy else f"{score:.6g}"

    def gain(self, points: float) -> str:
        """A difference of scores.

        >>> Measure(True).gain(0.01), Measure(False).gain(-3.0)
        ('+1.00 points', '-3')
        """
        return f"{self.value(points):+.2f} points" if self.accuracy else f"{points:+.4g}"


def training(trial: Trial) -> str:
    """How much of a training a trial had: `whole`, or `1 of 3 epochs`.

    >>> training(Trial(0, "0", "0", "", fidelity=0.25))
    '25% of the training'
    """
    if trial.share == 1:
        return WHOLE
    if "whole" in trial.record:
        return f"{trial.record['epochs']} of {trial.record['whole']} epochs"
    return f"{100 * trial.share:.3g}% of the training"


def scored(trial: Trial) -> str:
    """The score of a trial, and after how much training."""
    return f"{Measure.of(trial).text(trial.points)}{after(training(trial))}"


def after(training: str) -> str:
    """Behind a score: after how much training, where that is not the whole.

    >>> after("whole"), after("1 of 3 epochs")
    ('', ' after 1 of 3 epochs')
    """
    return "" if training == WHOLE else f" after {training}"
