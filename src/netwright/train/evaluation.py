"""A run, or several together, on labelled images: figures, views, bad photos, worst mistakes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netwright.data.corrupt import CORRUPTIONS, STRENGTHS, corrupted
from netwright.data.dataset import Dataset, load
from netwright.data.image import Preprocessing
from netwright.data.signals import SignalPreprocessing
from netwright.errors import DataError, RunError, nearest
from netwright.speed.allocation import reused_memory
from netwright.train.record import text_of
from netwright.train.run import Run
from netwright.train.scores import paired, scores
from netwright.train.unseen import asked
from netwright.train.views import Views

__all__ = ["VIEWS", "Evaluation", "compare", "evaluate", "robustness", "tested"]

TOGETHER = 128
"""Images that are decoded at a time."""
VIEWS = ("run", "plain", "mirrored", "ten-crop", "multi-scale")
ZOOMS = (1.0, 0.875, 0.75)
"""Shares of the sides that the windows of `ten-crop` (the second) and `multi-scale` take."""


@dataclass(frozen=True)
class Evaluation:
    """What runs say of images: `shares` (N, classes), their `truth` (N,) and `names`, and the
    fingerprint of the `data` they are of.
    """

    classes: tuple[str, ...]
    names: list[str]
    truth: np.ndarray
    shares: np.ndarray
    data: str = ""

    @property
    def right(self) -> np.ndarray:
        """Which images are right, (N,)."""
        return self.shares.argmax(1) == self.truth

    def scores(self) -> dict[str, Any]:
        """All figures; see `netwright.train.scores`."""
        return scores(self.truth, self.shares, self.classes)

    def worst(self, count: int = 24) -> list[dict[str, Any]]:
        """The images with the largest loss, the largest first."""
        losses = -np.log(self.shares[np.arange(len(self.truth)), self.truth].clip(1e-12))
        order = np.argsort(-losses, kind="stable")[:count]
        return [
            {"image": self.names[i], "class": self.classes[self.truth[i]],
             "predicted": self.classes[int(self.shares[i].argmax())],
             "probability": float(self.shares[i].max()), "loss": float(losses[i])}
            for i in order
        ]  # fmt: skip

    def mistakes(self, count: int = 24) -> list[dict[str, Any]]:
        """Those of the worst that are taken for another class."""
        rows = self.worst(len(self.truth))
        return [row for row in rows if row["class"] != row["predicted"]][:count]


@reused_memory()
def evaluate(
    runs: Sequence[Run],
    data: str | Path | Dataset,
    *,
    split: str = "",
    images: np.ndarray | None = None,
    views: str = "run",
    change: Callable[[np.ndarray, int], np.ndarray] | None = None,
    precision: str = "fp32",
    tell: Callable[[float], None] = lambda share: None,
) -> Evaluation:
    """What runs say of labelled images, the mean over the runs of their probabilities.

    Arguments:
        runs: one or several of the same classes.
        data: images, as `fit` takes them; their classes must be among those of the runs.
        split: `train`, `val` or `test` of images that say so, or `all`; if empty all images, but
            the test part alone of those that a run was fitted to.
        images: the numbers of the images, where they have been chosen (`unseen.asked`).
        views: what is averaged of an image: what the run was tested with (`run`), itself
            alone (`plain`), with its mirror image (`mirrored`), four corners and the centre
            with theirs (`ten-crop`; Krizhevsky et al. 2012), three sizes (`multi-scale`).
        change: what happens to the pixels (size, size, channels) of image i before.
        precision: `fp32`, `bf16`, or `auto` for what is faster on this machine.
        tell: hears the share that is done.

    Raises `DataError` where classes differ.
    """
    if views not in VIEWS:
        raise nearest("way to view images", views, VIEWS)
    classes = _classes(runs)
    dataset = data if isinstance(data, Dataset) else load(data, learn=False)
    _check_kind(runs, dataset)
    if dataset.signals and (views not in ("run", "plain") or change is not None):
        raise DataError(f"{dataset.source} holds signals; other views than run and plain, and bad "
                        "photos, are of images")  # fmt: skip
    chosen = asked(runs, dataset, split) if images is None else images
    number = _numbers(dataset, classes)
    total = np.zeros((len(chosen), len(classes)))
    for place, run in enumerate(runs):
        for at, shares in _shares(run, dataset, chosen, views, change, precision):
            total[at : at + len(shares)] += shares
            tell((place + (at + len(shares)) / len(chosen)) / len(runs))
    names = [dataset.names[i] for i in chosen]
    truth = np.array([number[dataset.labels[i]] for i in chosen])
    return Evaluation(classes, names, truth, total / len(runs), dataset.fingerprint)


@reused_memory()
def robustness(
    runs: Sequence[Run],
    data: str | Path | Dataset,
    *,
    images: np.ndarray | None = None,
    precision: str = "fp32",
    tell: Callable[[float], None] = lambda share: None,
) -> dict[str, list[float]]:
    """Accuracy on corrupted images, chosen as by `evaluate`: for each of `CORRUPTIONS` at every
    strength.
    """
    dataset = data if isinstance(data, Dataset) else load(data, learn=False)
    figures: dict[str, list[float]] = {}
    images = asked(runs, dataset) if images is None else images
    total = len(CORRUPTIONS) * len(STRENGTHS)
    for name in CORRUPTIONS:
        for strength in STRENGTHS:
            change = partial(_corrupted, name, strength)
            result = evaluate(runs, dataset, images=images, change=change, precision=precision)
            figures.setdefault(name, []).append(float(result.right.mean()))
            tell(sum(map(len, figures.values())) / total)
    return figures


def _corrupted(name: str, strength: int, pixels: np.ndarray, i: int) -> np.ndarray:
    return corrupted(pixels, name, strength, seed=i)


def compare(first: Evaluation, second: Evaluation) -> dict[str, Any]:
    """The paired test of two evaluations of the same images, as JSON's own types."""
    if (first.names, first.data) != (second.names, second.data):
        raise DataError(f"the runs were tested on other images: {len(first.names)} of data "
                        f"{first.data} and {len(second.names)} of {second.data}; give DATA to "
                        "evaluate both on")  # fmt: skip
    test = paired(first.right, second.right)
    return {
        "images": test.images, "first": float(first.right.mean()),
        "second": float(second.right.mean()), "difference": test.difference,
        "interval": list(test.interval), "only_first": test.only_first,
        "only_second": test.only_second, "p": test.p,
    }  # fmt: skip


def _classes(runs: Sequence[Run]) -> tuple[str, ...]:
    if not runs:
        raise DataError("no run is given")
    for run in runs[1:]:
        if run.classes != runs[0].classes:
            raise DataError(f"{run.path} knows other classes than {runs[0].path}: "
                            f"{', '.join(run.classes[:4])}")  # fmt: skip
    return runs[0].classes


def _check_kind(runs: Sequence[Run], dataset: Dataset) -> None:
    """Refuses runs of images for signals, and of signals for images."""
    for run in runs:
        if isinstance(run.preprocessing, SignalPreprocessing) != dataset.signals:
            own, other = ("signals", "images")[:: -1 if dataset.signals else 1]
            raise DataError(f"{run.path} is a run of {own}, {dataset.source} holds {other}")


def _numbers(dataset: Dataset, classes: tuple[str, ...]) -> list[int]:
    """The runs' number of each class of the images."""
    unknown = [name for name in dataset.classes if name not in classes]
    if unknown:
        raise DataError(f"{dataset.source} has class {unknown[0]!r}, which the run does not know; "
                        f"it knows: {', '.join(classes[:12])}")  # fmt: skip
    return [classes.index(name) for name in dataset.classes]


def _shares(
    run: Run, dataset: Dataset, chosen: np.ndarray, views: str,
    change: Callable[[np.ndarray, int], np.ndarray] | None, precision: str,
) -> Iterator[tuple[int, np.ndarray]]:  # fmt: skip
    """(place of the first image, probabilities) of batch after batch."""
    seen = run.preprocessing
    images = dataset.sequence(chosen, _whole(seen, views), torch.device("cpu"))
    batches = torch.arange(len(chosen)).split(TOGETHER)
    for batch, pixels in zip(batches, images.stream(batches), strict=True):
        values = (pixels if dataset.signals else pixels.permute(0, 2, 3, 1)).numpy()
        if change is not None:
            pairs = zip(batch.tolist(), values, strict=True)
            values = np.stack([change(image, i) for i, image in pairs])
        at = int(batch[0])
        if views in ("run", "plain", "mirrored"):
            own = run.views if views == "run" else Views(views == "mirrored")
            yield at, run.probabilities(values, views=own, precision=precision)
        else:
            crops = [run.probabilities(window, views=Views(mirrored=True), precision=precision)
                     for window in _windows(values, seen.size, views)]  # fmt: skip
            yield at, np.mean(crops, axis=0)


def _whole(seen: Preprocessing, views: str) -> Preprocessing:
    """What the views are cut from: what the run sees, or more around it."""
    if views not in ("ten-crop", "multi-scale"):
        return seen
    size = round(seen.size / ZOOMS[1])
    # An image that is resized to less than that would get a black border.
    return replace(seen, size=size, resize=seen.resize and max(seen.resize, size))


def _windows(values: np.ndarray, size: int, views: str) -> Iterator[np.ndarray]:
    """Windows (N, size, size, C) of larger images: corners and centre, or three sizes."""
    side = values.shape[1]
    rest = side - size
    if views == "ten-crop":
        for top, left in ((0, 0), (0, rest), (rest, 0), (rest, rest), (rest // 2, rest // 2)):
            yield values[:, top : top + size, left : left + size]
        return
    for zoom in ZOOMS:
        part = min(side, round(zoom * side))
        start = (side - part) // 2
        window = torch.from_numpy(values[:, start : start + part, start : start + part].copy())
        yield _resized(window, size)


def _resized(pixels: Tensor, size: int) -> np.ndarray:
    moved = torch.nn.functional.interpolate(
        pixels.permute(0, 3, 1, 2).float(), (size, size), mode="bilinear", antialias=True
    )
    return moved.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()


def tested(run: Run) -> Evaluation:
    """What a run said of its test images, from its predictions.csv; only the likeliest class."""
    file = run.path / "predictions.csv"
    rows = list(csv.DictReader(StringIO(text_of(file), newline="")))
    number = {name: i for i, name in enumerate(run.classes)}
    shares = np.zeros((len(rows), len(number)))
    try:
        names = [row["image"] for row in rows]
        truth = np.array([number[row["class"]] for row in rows])
        for i, row in enumerate(rows):
            shares[i, number[row["predicted"]]] = float(row["probability"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{file} was not written by netwright ({error}); "
                       "give DATA to evaluate the run on") from None  # fmt: skip
    return Evaluation(run.classes, names, truth, shares, run.record["data"]["fingerprint"])
