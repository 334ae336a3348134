"""A run folder: what a finished fit leaves, and what can be done with it.

run.json             settings, versions, machine, data, splits, preprocessing, schedule
candidates.json      every net that was planned, with its figures and the verdict
metrics.jsonl        one line an epoch of every trial
metrics.json         the winner's figures; it is written last and marks a finished run
net.json             the winner
weights.safetensors  its weights
predictions.csv      what it says of every test image
report.html          all of it, to look at
checkpoints/         one file a trial, from which an interrupted run goes on
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import numpy as np

from netwright.core.net import Net
from netwright.core.shape import show
from netwright.data.image import Preprocessing
from netwright.data.signals import SIGNAL, preprocessing_of
from netwright.errors import CodecError, RunError, WeightsError
from netwright.nets.catalogue import from_json
from netwright.train.record import (
    ASKED,
    FINISHED,
    IMAGES,
    METRICS,
    RUN,
    SIGNALS,
    read_json,
    require,
    text_of,
)

if TYPE_CHECKING:
    from torch import nn

    from netwright.data.dataset import Dataset
    from netwright.train.shuffling import Shuffled
    from netwright.train.views import Views

__all__ = ["SCHEMA", "Prediction", "Run"]

SCHEMA = 2
"""Raised when a reader of an old run would misread a new one."""


@dataclass(frozen=True)
class Prediction:
    """The probability of every class for one image."""

    classes: tuple[str, ...]
    probabilities: tuple[float, ...]

    @property
    def label(self) -> str:
        """The likeliest class."""
        return self.top(1)[0][0]

    def top(self, count: int = 5) -> list[tuple[str, float]]:
        """The likeliest classes and their probabilities, the likeliest first."""
        pairs = zip(self.classes, self.probabilities, strict=True)
        return sorted(pairs, key=lambda pair: -pair[1])[:count]


@dataclass(frozen=True)
class Run:
    """A run folder that was written by `fit`."""

    path: Path
    record: dict[str, Any] = field(repr=False)

    @classmethod
    def load(cls, path: str | Path) -> Run:
        """Opens a run folder; `RunError` when it is none, or of a newer version."""
        if not str(path):
            raise RunError("the run has an empty name; wanted a folder that `netwright fit` left")
        path = Path(path)
        file = path / "run.json"
        record = _json(file)
        if type(record.get("schema")) is not int:
            raise RunError(f"{file} is no record of a run")
        if record["schema"] > SCHEMA:
            raise RunError(f"{path} is a run of schema {record['schema']}, we read up to {SCHEMA}; "
                           "upgrade netwright")  # fmt: skip
        require(record, RUN, file)
        return cls(path, record)

    @property
    def finished(self) -> bool:
        """Whether the fit came to its end."""
        return (self.path / "metrics.json").exists()

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The figures of the winner."""
        self._check_finished()
        file = self.path / "metrics.json"
        metrics = _json(file)
        require(metrics, METRICS, file)
        require(self.record, FINISHED, self.path / "run.json")
        return metrics

    @cached_property
    def net(self) -> Net:
        """The winner."""
        self._check_finished()
        try:
            net = from_json(text_of(self.path / "net.json"))
        except CodecError as error:
            raise RunError(f"{self.path / 'net.json'}: {error}") from None
        images = self.preprocessing
        shape, output = images.shape, net.plan().output
        if net.input != shape:
            raise RunError(f"{self.path}: net.json takes {show(net.input)}, "
                           f"run.json makes images {show(shape)}")  # fmt: skip
        if output != (len(self.classes),):
            raise RunError(f"{self.path}: net.json gives {show(output)}, "
                           f"run.json names {len(self.classes)} classes")  # fmt: skip
        return net

    def _check_finished(self) -> None:
        if not self.finished:
            data, out = quote(self.record["settings"]["data"]), quote(str(self.path))
            raise RunError(f"{self.path} is not finished; go on with: "
                           f"netwright fit {data} --out {out} --resume")  # fmt: skip

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the net's outputs."""
        return tuple(self.record["data"]["classes"])

    @property
    def preprocessing(self) -> Preprocessing:
        """What images go through before the net sees them."""
        record = self.record.get("preprocessing")
        signals = isinstance(record, dict) and record.get("crop") == SIGNAL
        require(self.record, SIGNALS if signals else IMAGES, self.path / "run.json")
        return preprocessing_of(self.record["preprocessing"])

    @property
    def temperature(self) -> float:
        """What logits are divided by, so that probabilities are as often right as they say."""
        return float(self._answer("temperature", 1.0))

    @property
    def views(self) -> Views:
        """Whose outputs are averaged."""
        from netwright.train.views import Views

        return Views(*(bool(self._answer(word, False)) for word in Views._fields))

    def _answer(self, word: str, before: Any) -> Any:
        """What run.json says of how the net is asked; `before` where it is older than the word."""
        record = {word: before, **self.record}
        require(record, {word: ASKED[word]}, self.path / "run.json")
        return record[word]

    def model(self, *, fast: bool = False) -> nn.Module:
        """The winner with its weights, in evaluation mode; always the same module.

        With `fast` a twin to be asked only, with norms folded, and in bf16 where this machine was
        measured to answer faster so: its outputs then differ in the third digit.
        """
        return self._quick("auto") if fast else self._model

    def _quick(self, precision: str) -> nn.Module:
        """The twin that answers quickly, made anew where the model has moved or changed."""
        from netwright.train.asking import quick

        values = [*self._model.parameters(), *self._model.buffers()]
        key = (precision, *((value.device, value._version) for value in values))  # noqa: SLF001
        if key not in self._twins:
            self._twins.clear()
            self._twins[key] = quick(self._model, precision=precision)
        return self._twins[key]

    @cached_property
    def _twins(self) -> dict[tuple[Any, ...], nn.Module]:
        return {}

    @cached_property
    def _model(self) -> nn.Module:
        from netwright.weights.tensors import read_tensors, strange

        model = self.net.build(seed=0)
        path, own = self.path / "weights.safetensors", model.state_dict()
        try:
            state = read_tensors(path)
        except WeightsError as error:
            raise RunError(str(error)) from None
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            fault = " ".join(str(error).split())[:160]
            raise RunError(f"{path} does not belong to net.json: {fault}") from None
        for key, word in strange(state, own).items():
            raise RunError(f"{path}: {key} has {word}; the file was changed, begin a new run")
        return model.eval()

    def dataset(self, data: Any = None) -> Dataset:
        """The images that it was begun with, in their splits: from where they were, or `data`.

        Raises `DataError` where they are not there any more, `RunError` where they are others.
        """
        from netwright.data.dataset import load
        from netwright.data.source import source_of

        settings = self.record["settings"]
        data = settings["data"] if data is None else data
        dataset = load(data, seed=settings["seed"], workers=settings.get("workers"))
        if dataset.fingerprint != self.record["data"]["fingerprint"]:
            raise RunError(f"the images in {source_of(data)} are not those that {self.path} was "
                           "begun with; restore them, or begin a new run with another "
                           "--out")  # fmt: skip
        return dataset

    def shuffled(
        self, seconds: float, *, seed: int = 0, tell: Callable[[float], None] | None = None
    ) -> Shuffled:
        """Its net, trained for so many seconds on its images with their labels permuted; see
        `netwright.train.shuffling`. It is trained once.
        """
        from netwright.train.shuffling import fit_shuffled

        key = seconds, seed
        if key not in self._relearnt:
            self._relearnt[key] = fit_shuffled(self, seconds=seconds, seed=seed, tell=tell)
        return self._relearnt[key]

    @cached_property
    def _relearnt(self) -> dict[tuple[float, int], Shuffled]:
        return {}

    def predict(self, images: Iterable[Any], *, precision: str = "fp32") -> list[Prediction]:
        """The classes of images: paths, Pillow images, or arrays (H, W[, C]) of the values
        that the run was fitted to.

        `precision` is `fp32`, `bf16`, or `auto` for what this machine was measured to be faster
        in. Raises `DataError` for an image that cannot be read.
        """
        pixels = [self.preprocessing.image(image) for image in images]
        return self.predict_pixels(np.stack(pixels), precision=precision) if pixels else []

    def predict_pixels(self, pixels: np.ndarray, *, precision: str = "fp32") -> list[Prediction]:
        """The same for uint8 (N, size, size, channels), as `preprocessing.image` makes them."""
        shares = self.probabilities(pixels, views=self.views, precision=precision)
        return [Prediction(self.classes, tuple(row)) for row in shares.tolist()]

    def probabilities(
        self, pixels: np.ndarray, *, views: Views, precision: str = "fp32"
    ) -> np.ndarray:
        """Probabilities (N, classes) of uint8 (N, size, size, channels), calibrated."""
        from netwright.data.stream import Memory
        from netwright.train.batches import Images
        from netwright.train.learner import probabilities
        from netwright.train.scores import cooled

        place = next(self._model.parameters()).device
        labels = np.zeros(len(pixels), np.int64)
        count = len(self.classes)
        images = Images(Memory(pixels, place), labels, count, self.preprocessing, place)
        model = self._quick(precision)
        return cooled(probabilities(model, images, views=views), self.temperature)


def _json(path: Path) -> dict[str, Any]:
    record = read_json(path)
    if not isinstance(record, dict):
        raise RunError(f"{path} was not written by netwright")
    return record
