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

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import numpy as np

from netwright.core.codec import from_json
from netwright.core.net import Net
from netwright.core.shape import show
from netwright.data.image import Preprocessing
from netwright.errors import RunError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["SCHEMA", "Prediction", "Run"]

SCHEMA = 2
"""Raised when a reader of an old run would misread a new one."""
PARTS = ("settings", "data", "job")
"""What every run.json holds, finished or not."""


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
    record: dict[str, Any]

    @classmethod
    def load(cls, path: str | Path) -> Run:
        """Opens a run folder; `RunError` when it is none, or of a newer version."""
        path = Path(path)
        record = _json(path, "run.json")
        if not isinstance(record.get("schema"), int):
            raise RunError(f"{path / 'run.json'} is no record of a run")
        if record["schema"] > SCHEMA:
            raise RunError(f"{path} is a run of schema {record['schema']}, we read up to {SCHEMA}; "
                           "upgrade netwright")  # fmt: skip
        lacking = [part for part in PARTS if not isinstance(record.get(part), dict)]
        if lacking:
            raise RunError(f"{path / 'run.json'} has no {lacking[0]}; begin a new run")
        return cls(path, record)

    @property
    def finished(self) -> bool:
        """Whether the fit came to its end."""
        return (self.path / "metrics.json").exists()

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The figures of the winner."""
        if not self.finished:
            data, out = quote(self.record["settings"]["data"]), quote(str(self.path))
            raise RunError(f"{self.path} is not finished; go on with: "
                           f"netwright fit {data} --out {out} --resume")  # fmt: skip
        return _json(self.path, "metrics.json")

    @cached_property
    def net(self) -> Net:
        """The winner."""
        _ = self.metrics
        net = from_json(_text(self.path, "net.json"))
        if net.plan().output != (len(self.classes),):
            raise RunError(f"{self.path}: net.json gives {show(net.plan().output)}, "
                           f"run.json names {len(self.classes)} classes")  # fmt: skip
        return net

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the net's outputs."""
        return tuple(self.record["data"]["classes"])

    @property
    def preprocessing(self) -> Preprocessing:
        """What images go through before the net sees them."""
        return Preprocessing.from_json(self.record["preprocessing"])

    @property
    def temperature(self) -> float:
        """What logits are divided by, so that probabilities are as often right as they say."""
        return float(self.record.get("temperature", 1.0))

    @property
    def mirrored(self) -> bool:
        """Whether outputs of an image and its mirror image are averaged."""
        return bool(self.record.get("mirrored", False))

    @cached_property
    def model(self) -> nn.Module:
        """The winner with its weights, in evaluation mode."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        model = self.net.build(seed=0)
        path = self.path / "weights.safetensors"
        try:
            model.load_state_dict(load_file(path))
        except (OSError, SafetensorError) as error:
            raise RunError(f"{path} cannot be read: {error}") from None
        except RuntimeError as error:
            fault = " ".join(str(error).split())[:160]
            raise RunError(f"{path} does not belong to net.json: {fault}") from None
        return model.eval()

    def predict(self, images: Iterable[Any]) -> list[Prediction]:
        """The classes of images: paths, Pillow images, or arrays (H, W[, C]) of the values
        that the run was fitted to.

        Raises `DataError` for an image that cannot be read.
        """
        pixels = [self.preprocessing.image(image) for image in images]
        return self.predict_pixels(np.stack(pixels)) if pixels else []

    def predict_pixels(self, pixels: np.ndarray) -> list[Prediction]:
        """The same for uint8 (N, size, size, channels), as `preprocessing.image` makes them."""
        from netwright.data.stream import Memory
        from netwright.train.batches import Images
        from netwright.train.learner import probabilities
        from netwright.train.scores import cooled

        place = next(self.model.parameters()).device
        labels = np.zeros(len(pixels), np.int64)
        count = len(self.classes)
        images = Images(Memory(pixels, place), labels, count, self.preprocessing, place)
        shares = probabilities(self.model, images, mirrored=self.mirrored)
        return [Prediction(self.classes, tuple(row))
                for row in cooled(shares, self.temperature).tolist()]  # fmt: skip


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        held = json.loads(_text(folder, name))
    except ValueError as error:
        raise RunError(f"{folder / name} cannot be read: {error}") from None
    if not isinstance(held, dict):
        raise RunError(f"{folder / name} was not written by netwright")
    return held


def _text(folder: Path, name: str) -> str:
    if not (folder / name).exists():
        what = "no such folder" if not folder.exists() else f"it has no {name}"
        raise RunError(f"{folder} is no run folder: {what}")
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RunError(f"{folder / name} cannot be read: {error}") from None
