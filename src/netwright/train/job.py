"""What a run is going to do, settled before it begins: weights to start from, nets, schedule."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from netwright.core.shape import show
from netwright.data.dataset import Dataset
from netwright.data.signals import preprocessing_of
from netwright.errors import (
    CodecError,
    DataError,
    RecipeError,
    RunError,
    UnknownName,
)
from netwright.nets.catalogue import from_json
from netwright.train.approach import Approach
from netwright.train.backbones import Backbone
from netwright.train.halving import Rung, rungs, work
from netwright.train.recipe import Recipe

__all__ = ["Job"]

NAME = re.compile(r"[\w.+:=,-]{1,200}")
"""What a net of a job may be called: checkpoints are."""


@dataclass(frozen=True)
class Job:
    """Everything that the numbers of a run follow from, beside the images.

    Arguments:
        why: what was chosen, and why, in sentences.
        backbones: trained nets to begin with.
        transfer: how they are used: `auto`, or one way.
        approaches: nets that start from nothing, at the epochs of the last rung.
        costs: seconds an epoch of each, or its MACs where the epochs are fixed.
        recipe: what fine-tuning follows.
        epochs: of the best net; None to let the time decide.
        precision: `fp32` or `bf16`; for fine-tuning also `auto`.
        seed: of everything random.
        folds: how often a net is trained to know how good it is; see `train.folds`.
    """

    why: tuple[str, ...]
    backbones: tuple[Backbone, ...]
    transfer: str
    approaches: tuple[Approach, ...]
    costs: tuple[float, ...]
    recipe: Recipe
    epochs: int | None
    precision: str
    seed: int
    folds: int = 1

    @property
    def rungs(self) -> list[Rung]:
        """The schedule of the nets that start from nothing."""
        if not self.approaches:
            return []
        return rungs(len(self.approaches), self.approaches[0].epochs)

    @property
    def work(self) -> float:
        """Cost of all nets that start from nothing, in the unit of `costs`."""
        if not self.approaches:
            return 0.0
        return work(self.costs, self.approaches[0].epochs, self.folds)

    def trial(self, rung: int, candidate: int) -> Approach:
        """Net `candidate` in that rung."""
        approach = self.approaches[candidate]
        name = f"rung{rung + 1}-{approach.net.name}" if len(self.rungs) > 1 else approach.net.name
        return replace(approach, name=name, epochs=self.rungs[rung].epochs)

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types."""
        return {
            "why": list(self.why),
            "backbones": [{"net": one.net.to_json(), "weights": one.weights,
                           "preprocessing": one.preprocessing.to_json()}
                          for one in self.backbones],
            "transfer": self.transfer,
            "approaches": [approach.to_json() for approach in self.approaches],
            "costs": list(self.costs),
            "rungs": [vars(rung) for rung in self.rungs],
            "recipe": self.recipe.to_json(),
            "epochs": self.epochs,
            "precision": self.precision,
            "seed": self.seed,
            "folds": self.folds,
        }  # fmt: skip

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Job:
        """The inverse of `to_json`; `RunError` for what is none."""
        try:
            job = cls(
                why=tuple(record["why"]),
                backbones=tuple(
                    Backbone(from_json(row["net"]), row["weights"],
                             preprocessing_of(row["preprocessing"]))
                    for row in record["backbones"]
                ),
                transfer=record["transfer"],
                approaches=tuple(Approach.from_json(row) for row in record["approaches"]),
                costs=tuple(record["costs"]),
                recipe=Recipe.from_json(record["recipe"]),
                epochs=record["epochs"],
                precision=record["precision"],
                seed=record["seed"],
                folds=record["folds"],
            )  # fmt: skip
        except (KeyError, TypeError, DataError, RecipeError, UnknownName) as error:
            raise RunError(f"run.json has no readable job ({error}); begin a new run") from None
        except CodecError as error:
            raise RunError(f"run.json: a net of its job cannot be read: {error}") from None
        nets = [approach.net.name for approach in job.approaches]
        names = [*nets, *(approach.name for approach in job.approaches),
                 *(backbone.net.name for backbone in job.backbones)]  # fmt: skip
        if len({*nets}) < len(nets) or not all(map(NAME.fullmatch, names)):
            raise RunError(f"run.json: its nets are called {repr(names)[:120]}, which cannot be "
                           "names of files; begin a new run")  # fmt: skip
        return job

    def check(self, dataset: Dataset) -> None:
        """Raises `RunError` where a net is not for these images."""
        classes = len(dataset.classes)
        for approach in self.approaches:
            images = approach.preprocessing
            shape, output = images.shape, approach.net.plan().output
            if (approach.net.input, output) != (shape, (classes,)):
                raise RunError(f"run.json: {approach.net.name} takes {show(approach.net.input)} "
                               f"and gives {show(output)}, the images are {show(shape)} of "
                               f"{classes} classes; begin a new run")  # fmt: skip
