"""What the user asked of a fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from netwright.core.kinds import shown
from netwright.errors import RunError, nearest
from netwright.space.budget import Budget
from netwright.train.recipe import Recipe, read

__all__ = ["LOGS", "PRECISIONS", "TRANSFERS", "Settings", "written"]

TRANSFERS = ("auto", "none", "probe", "head", "stages", "full", "boosted")
PRECISIONS = ("auto", "fp32", "bf16")
LOGS = ("tensorboard", "mlflow")
RANGES = {"epochs": (1, 10**6), "seed": (0, 2**32 - 1), "size": (8, 2**20), "workers": (0, 256)}
"""The least and the largest value of every number."""
TEXTS = ("data", "budget", "net", "weights", "transfer", "recipe", "precision", "log")


@dataclass(frozen=True)
class Settings:
    """What the user asked for; empty words and None leave the choice to us.

    Arguments:
        data: the folder or file of labelled images.
        budget: what the net may cost, such as `params<=1M, macs<=50M`.
        minutes: time for the whole run.
        epochs: epochs of the best net; fixes the schedule, and time is not asked for.
        seed: same seed, same numbers on the same machine with as many threads.
        size: side of the images (4,096 pixels at most), or length of the signals; None to choose
            one.
        flip: whether nets see images mirrored in training; None to follow the recipe.
        net: a registered net or a file of one; only it is trained.
        weights: where trained weights come from.
        transfer: how they are used: `auto`, `none`, or one way of `TRANSFERS`.
        recipe: how nets are trained, by name, a file, or as JSON; `fit` takes a `Recipe` too.
        rate: its highest learning rate, or `find` to have it found by a range test.
        workers: processes that decode images of sets too large for memory.
        precision: `auto`, `fp32` or `bf16`.
        online: whether weights of `net` may be fetched.
        log: where records are kept beside the run folder's own: `tensorboard`, `mlflow`, or both
            with a comma.
    """

    data: str
    budget: str = ""
    minutes: float = 10.0
    epochs: int | None = None
    seed: int = 0
    size: int | None = None
    flip: bool | None = None
    net: str = ""
    weights: str = ""
    transfer: str = "auto"
    recipe: str = ""
    rate: str | float = ""
    workers: int | None = None
    precision: str = "auto"
    online: bool = False
    log: str = ""

    def __post_init__(self) -> None:
        self._check_kinds()
        for word, choices in (("transfer", TRANSFERS), ("precision", PRECISIONS)):
            if getattr(self, word) not in choices:
                raise nearest(word, str(getattr(self, word)), choices)
        for name in filter(None, self.log.split(",")):
            if name not in LOGS:
                raise nearest("log", name, LOGS)
        if self.transfer == "none" and self.weights:
            raise RunError(f"weights is {self.weights!r} and transfer none; wanted one of the two")
        Budget.parse(self.budget)
        recipe = read(self.recipe or "resnet")
        if self.rate not in ("", "find"):
            recipe.but(rate=_number(self.rate))  # says what it may be

    def _check_kinds(self) -> None:
        """Numbers within their bounds, text where text is wanted."""
        for word, (low, high) in RANGES.items():
            value = getattr(self, word)
            if value is not None and not (type(value) is int and low <= value <= high):
                raise RunError(f"{word} is {shown(value)}, wanted {low} to {high}")
        minutes: Any = self.minutes
        if type(minutes) not in (int, float) or not 0 < minutes < float("inf"):
            raise RunError(f"minutes is {shown(minutes)}, wanted a number above 0")
        for word in TEXTS:
            if not isinstance(getattr(self, word), str):
                raise RunError(f"{word} is {shown(getattr(self, word), 80)}, wanted text: a name, "
                               "or the path of a file that holds it")  # fmt: skip

    def rated(self, recipe: Recipe) -> Recipe:
        """The recipe with the learning rate that was asked for."""
        if not self.rate:
            return recipe
        return recipe.but(find=True) if self.rate == "find" else recipe.but(rate=_number(self.rate))

    def differing(self, other: dict[str, Any]) -> str:
        """The name of a field that `other` gives another value, if any."""
        own = asdict(self)
        return next((name for name, value in written(other).items() if own[name] != value), "")


def written(given: Mapping[str, Any]) -> dict[str, Any]:
    """Some settings as a run folder keeps them: paths as text, recipes as that of their JSON.
    `UnknownName` for a word that is none.
    """
    words = [word.name for word in fields(Settings)]
    for word in given:
        if word not in words:
            raise nearest("setting", word, words)
    return {word: _kept(value) for word, value in given.items()}


def _kept(value: Any) -> Any:
    if isinstance(value, Recipe):
        return json.dumps(value.to_json())
    return str(value) if isinstance(value, Path) else value


def _number(rate: str | float) -> float:
    try:
        return float(rate)
    except (TypeError, ValueError):
        raise RunError(f"rate is {shown(rate)}, wanted a number or find") from None
