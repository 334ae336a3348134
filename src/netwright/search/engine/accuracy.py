"""Accuracy on validation after training: what nets are searched for, by the trainer of `fit`."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any, Protocol, runtime_checkable

import torch

from netwright.core.net import Net
from netwright.core.shape import Shape, show
from netwright.data.dataset import Dataset, load
from netwright.data.image import Preprocessing
from netwright.errors import SearchError, nearest
from netwright.report.numbers import counted
from netwright.search.engine.identity import SPLIT
from netwright.search.loop import Evaluation
from netwright.search.trial import Trial
from netwright.space.registry import find, options
from netwright.space.search_space import Space
from netwright.speed.allocation import reused_memory
from netwright.speed.training import PRECISIONS
from netwright.train.approach import Approach
from netwright.train.batches import Images
from netwright.train.begin import part_of, random_model
from netwright.train.fitting import deterministic
from netwright.train.outcome import Clock
from netwright.train.recipe import Recipe, read
from netwright.train.training import Training

__all__ = ["Accuracy", "Prescribed", "Tuned"]

SCRATCH = "resnet"


@runtime_checkable
class Tuned(Protocol):
    """A space whose codes say how a net is trained as well, beside the recipe."""

    def factors(self, code: str) -> dict[str, float]:
        """What fields of the recipe are multiplied by for a code."""
        ...


@runtime_checkable
class Prescribed(Protocol):
    """A space whose codes say how a net is trained, whatever the recipe."""

    def settings(self, code: str) -> dict[str, Any]:
        """The recipe of a code, as `Recipe.from_json` reads it."""
        ...


@dataclass
class Accuracy:
    """An evaluator that trains a net on labelled images: the share of the validation images that
    it then tells right. The test images are not looked at.

    data: a folder, a table or an `.npz`, as of `nw.fit`
    recipe: how nets are trained, by name, from a file or as it is
    epochs: how long; a strategy that asks for a share of the training gets that of them
    size: side of the images; their own up to 64 unless given
    seed: of the split into training, validation and test, where the images come without
    precision: `fp32` or `bf16`
    folder: where checkpoints are, from which a trial goes on whose process was killed
    tuned: the space whose codes say how their nets are trained, if one does
    resizes: whether images are brought to the size that a net takes, whatever `size` is
    """

    data: str
    recipe: str | Recipe = SCRATCH
    epochs: int = 10
    size: int | None = None
    seed: int = 0
    precision: str = "fp32"
    folder: str = ""
    tuned: Tuned | Prescribed | None = None
    resizes: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.epochs, int) or self.epochs < 1:
            raise SearchError(f"epochs is {self.epochs!r}, wanted an integer of at least 1")
        if self.precision not in PRECISIONS:
            raise nearest("precision", self.precision, PRECISIONS)

    @reused_memory()
    def __call__(
        self,
        net: Net,
        *,
        seed: int = 0,
        fidelity: float = 1.0,
        trial: Trial | None = None,
        report: Callable[[int, float], None] = lambda step, score: None,
        limit: float = math.inf,
    ) -> Evaluation:
        """Trains a net; its accuracy, its curve and what else it takes to repeat that.

        net: what learns
        seed: of everything random
        fidelity: the share of the epochs
        trial: what this is done for
        report: hears of every epoch and the accuracy after it
        limit: seconds; training that would take longer ends with a `SearchError`
        """
        approach = self.approach(net, seed=seed, fidelity=fidelity, trial=trial)
        clock = Clock(None if math.isinf(limit) else limit)
        with self._workshop(approach) as folder, torch.random.fork_rng(), deterministic():
            if self.resizes:
                self.dataset.forget()  # sizes of other nets
            train, val = (part_of(self.dataset, part, approach.preprocessing)
                          for part in ("train", "val"))  # fmt: skip
            training = Training(approach, lambda: random_model(approach, train), train, val,
                                folder=folder, fingerprint=self.dataset.fingerprint,
                                clock=clock)  # fmt: skip
            for row in training.run():
                report(row["epoch"], row["val_accuracy"])
                if training.learner.epochs < approach.epochs:  # scores of fewer compare with none
                    break
        outcome = training.outcome
        if training.cut or training.learner.epochs < approach.epochs:
            raise SearchError(f"{len(outcome.history)} of {counted(approach.epochs, 'epoch')} "
                              f"took all of its {limit:g} seconds")  # fmt: skip
        if outcome.diverged:
            raise SearchError("its loss grew without bound")
        record = {
            "net": approach.net.to_json(),
            "curve": [row["val_accuracy"] for row in outcome.history],
            "val_loss": outcome.last["val_loss"],
            "epochs": approach.epochs,
            "whole": self.epochs,
            "recipe": approach.recipe.to_json(),
            "precision": self.precision,
        }
        return Evaluation(outcome.last["val_accuracy"], record)

    def approach(
        self, net: Net, *, seed: int = 0, fidelity: float = 1.0, trial: Trial | None = None
    ) -> Approach:
        """All that the result of a net follows from, beside the images."""
        images, classes = self.preprocessing, len(self.dataset.classes)
        if self.resizes:
            images = self.dataset.preprocessing(net.input[-1])
        shape, output = (images.channels, images.size, images.size), net.plan().output
        if (net.input, output) != (shape, (classes,)):
            raise SearchError(f"{net.name} takes {show(net.input)} and gives {show(output)}, the "
                              f"images are {show(shape)} of {classes} classes; make the space with "
                              f"input={shape} and classes={classes}")  # fmt: skip
        recipe = self._recipe(trial).suited(self.dataset.size("train"))
        epochs = max(1, round(fidelity * self.epochs))
        return Approach(f"{net.hash[:12]}-{seed}", "scratch", net, images, recipe, epochs,
                        precision=self.precision, seed=seed)  # fmt: skip

    def images(self, part: str) -> Images:
        """Those of `train`, which nets learn from, or of `val`, which say how good they are."""
        return part_of(self.dataset, part, self.preprocessing)

    def _recipe(self, trial: Trial | None) -> Recipe:
        """How the net of a trial is trained."""
        recipe = read(self.recipe)
        if trial is None or self.tuned is None:
            return recipe
        if isinstance(self.tuned, Prescribed):
            return Recipe.from_json(self.tuned.settings(trial.code))
        factors = self.tuned.factors(trial.code)
        return recipe.but(**{word: getattr(recipe, word) * by for word, by in factors.items()})

    def space(self, space: str | Space | Net, **given: Any) -> Space:
        """A space for these images: that of a name is made for their shape and classes. Where its
        codes say how nets are trained, they are heeded from here on.
        """
        if isinstance(space, str):
            own = {"input": self.input, "classes": len(self.dataset.classes)}
            takes = options(space, given.get("frame", ""))
            given = {**{word: own[word] for word in own if word in takes}, **given}
        chosen = find(space, **given)
        if isinstance(chosen, Tuned | Prescribed):
            self.tuned = chosen
        self.resizes = chosen.resizes
        self.approach(chosen.net(chosen.example()))  # raises now where its nets take other images
        return chosen

    def identity(self) -> dict[str, str]:
        """What two sessions of one search must have in common, by name."""
        recipe = read(self.recipe)
        return {
            SPLIT: str(self.seed),
            "epochs": str(self.epochs),
            "recipe": f"{recipe.name} ({sha256(repr(recipe).encode()).hexdigest()[:12]})",
            "size": str(self.size or "of the images"),
            "precision": self.precision,
            "data": f"{Path(self.data).name} ({self.dataset.fingerprint[:12]})",
        }

    @property
    def input(self) -> Shape:
        """The shape of an image as nets get it."""
        images = self.preprocessing
        return (images.channels, images.size, images.size)

    @cached_property
    def dataset(self) -> Dataset:
        """The images; each process reads them for itself."""
        return load(self.data, seed=self.seed)

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """What the images go through."""
        return self.dataset.preprocessing(self.size)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items()
                if name not in ("dataset", "preprocessing")}  # fmt: skip

    @contextmanager
    def _workshop(self, approach: Approach) -> Generator[Path]:
        """Where the checkpoint of a trial is; removed when it has ended, not when it is broken
        off.
        """
        if not self.folder:
            with TemporaryDirectory(prefix="netwright-") as folder:
                yield Path(folder)
            return
        folder = Path(self.folder, approach.name)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            yield folder
        except Exception:
            rmtree(folder, ignore_errors=True)
            raise
        rmtree(folder, ignore_errors=True)
