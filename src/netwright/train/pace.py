"""How long an epoch of a net takes, and what of the time may be planned with."""

from __future__ import annotations

from netwright.core.net import Net
from netwright.data.dataset import Dataset
from netwright.speed.training import choices, faster
from netwright.train.recipe import Recipe
from netwright.train.settings import Settings
from netwright.train.speeds import step_seconds

__all__ = ["epoch_steps", "pace", "usable"]

RESERVE = 0.12
"""Share of the time that the schedule leaves free."""


def epoch_steps(dataset: Dataset, recipe: Recipe) -> float:
    """What an epoch costs, in steps: validation is passed forward alone, a third of a step."""
    return recipe.steps(dataset.size("train")) + dataset.size("val") / recipe.batch / 3


def usable(settings: Settings) -> float:
    """Seconds that training may take."""
    return 60 * settings.minutes * (1 - RESERVE)


def pace(settings: Settings, dataset: Dataset, recipe: Recipe, net: Net) -> tuple[str, float]:
    """The precision in which a net learns faster, and the seconds of an epoch."""
    steps = epoch_steps(dataset, recipe)
    seconds = {precision: steps * step_seconds(net, recipe, precision)
               for precision in choices(settings.precision)}  # fmt: skip
    precision = faster(seconds)
    return precision, seconds[precision]
