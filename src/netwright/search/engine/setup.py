"""What a search on images is begun with, in words: kept with the study, so that others can join."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from netwright.errors import SearchError
from netwright.search.engine.accuracy import Accuracy
from netwright.search.engine.beside import Beside
from netwright.search.engine.worker import Plan
from netwright.search.strategy import find
from netwright.space.named import space_of
from netwright.train.recipe import Recipe, read

__all__ = ["Setup"]


@dataclass(frozen=True)
class Setup:
    """A search on labelled images.

    space: a name, with options as in `nasbench201:width=8,depth=1`; a `.json` file of a net with
        choices; or `module:name` of a Space or of a function that makes one
    data: the images, as of `nw.fit`
    strategy: which net to try next
    trials: how many are tried; None for as many as the time allows
    budget: what nets may cost
    recipe, epochs, size, precision: how they are trained; see `Accuracy`
    seed: of the search and of the images' split
    limit: seconds of a trial; None for any
    beside: one trial of so many is at random, to compare with; 0 for none
    first: codes to begin with
    """

    space: str
    data: str
    strategy: str = "default"
    trials: int | None = 100
    budget: str = ""
    recipe: dict[str, Any] = field(default_factory=read("resnet").to_json)
    epochs: int = 10
    size: int | None = None
    precision: str = "fp32"
    seed: int = 0
    limit: float | None = None
    beside: int = 5
    first: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for word in ("epochs", "trials", "limit"):
            value = getattr(self, word)
            if value is not None and not value > 0:
                raise SearchError(f"{word} is {value}, wanted more than 0")
        if self.beside < 0:
            raise SearchError(
                f"one net of {self.beside} at random; wanted 1 or more, or 0 for none"
            )
        if not 0 <= self.seed < 2**32:
            raise SearchError(f"seed is {self.seed}, wanted 0 to {2**32 - 1}")

    def plan(self, folder: str | Path = "", data: str = "") -> Plan:
        """What its workers do.

        folder: for the checkpoints of trials that are under way
        data: where the images are on this machine, if elsewhere
        """
        checkpoints = str(Path(folder, "trials")) if folder else ""
        recipe = Recipe.from_json(self.recipe)
        evaluator = Accuracy(data or self.data, recipe, self.epochs, self.size, self.seed,
                             self.precision, checkpoints)  # fmt: skip
        space = space_of(self.space, evaluator.space)
        if self.budget:
            space = space.within(self.budget)
        strategy = find(self.strategy)
        strategy.check(space, evaluator)
        if not strategy.fidelities and self.strategy != "random":
            strategy = Beside(strategy, self.beside, self.first)
        return Plan(space, strategy, evaluator, self.seed, self.trials or math.inf,
                    self.limit or math.inf, self.strategy)  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types."""
        return {**asdict(self), "first": list(self.first)}

    @classmethod
    def from_json(cls, record: Any) -> Setup:
        """The inverse of `to_json`; `SearchError` for what is none."""
        words = {word.name for word in fields(cls)}
        given: dict[str, Any] = dict(record) if isinstance(record, dict) else {}
        if not {"space", "data"} <= {*given} <= words:
            raise SearchError("the study does not say what it was begun with: it was begun in "
                              "Python, where nw.search(..., storage=, study=) goes on")  # fmt: skip
        given["first"] = tuple(given.get("first", ()))
        return cls(**given)
