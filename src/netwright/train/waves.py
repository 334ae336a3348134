"""What is decided otherwise where the data are signals and no images."""

from __future__ import annotations

from dataclasses import replace

from netwright.core.net import Net
from netwright.core.shape import show
from netwright.data.augment import Delay
from netwright.data.image import Preprocessing
from netwright.data.signals import SignalPreprocessing
from netwright.errors import RecipeError, RunError
from netwright.train.recipe import Recipe
from netwright.train.settings import Settings

__all__ = ["check_operations", "laid_out", "reason_for_signals", "recipe_for_signals"]


def reason_for_signals(settings: Settings) -> str:
    """Why nets for signals start from nothing; `RunError` for settings that are of images."""
    of_images = {"weights": bool(settings.weights), "flip": bool(settings.flip),
                 "transfer": settings.transfer not in ("auto", "none")}  # fmt: skip
    for word, given in of_images.items():
        if given:
            raise RunError(f"{word} is {getattr(settings, word)!r}, which is for images; the data "
                           "are signals, leave it out")  # fmt: skip
    return "nets start from nothing: the data are signals, trained weights are of images"


def recipe_for_signals(recipe: Recipe) -> Recipe:
    """The recipe with those of its operations that are of signals, else with delays."""
    own = tuple(operation for operation in recipe.operations if operation.signals)
    return recipe.but(operations=own or (Delay(),), whiten=False)


def check_operations(recipe: Recipe) -> None:
    """Refuses operations of signals, where the data are images."""
    for operation in recipe.operations:
        if operation.signals:
            raise RecipeError(f"recipe {recipe.name!r}: {type(operation).__name__} is for signals, "
                              "the data are images")  # fmt: skip


def laid_out(preprocessing: Preprocessing, net: Net) -> Preprocessing:
    """Signals as a net wants them: one of two dimensions gets them as a map of one channel."""
    if not isinstance(preprocessing, SignalPreprocessing) or len(net.input) == 2:
        return preprocessing
    if len(net.input) == 3 and net.input[0] == 1:
        return replace(preprocessing, map=True)
    raise RunError(f"{net.name} takes {show(net.input)}, the data are signals of "
                   f"{show(preprocessing.shape)}; wanted a net of one dimension, or of one "
                   "channel")  # fmt: skip
