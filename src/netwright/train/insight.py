"""The section of a run's page that looks into its net: why the worst mistakes, what excites it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic
from typing import Any

import numpy as np
from PIL import Image
from torch import nn

from netwright.data.dataset import Dataset
from netwright.data.image import Preprocessing
from netwright.data.listing import SPLITS
from netwright.drawing.html import Page, gallery, paragraph
from netwright.errors import NetwrightError
from netwright.look.attribution import attribute
from netwright.look.cams import default_layer
from netwright.look.geometry import layers
from netwright.look.images import Images, images_of
from netwright.look.kernels import filters
from netwright.look.pace import Pace
from netwright.look.paint import encoded, over, pictures
from netwright.look.panels import moved, sensed
from netwright.look.patches import top_patches
from netwright.look.picture import Subject
from netwright.look.plots import charts
from netwright.look.separating import separability
from netwright.train.evaluation import Evaluation
from netwright.train.probe import FOLDS

__all__ = ["insight_section"]

SIDE = 112
"""Pixels of a side of what is shown: the page is to stay small."""
MISTAKES, PATCHES = 6, 64
"""Mistakes that are explained, and images that are searched for patches."""
CHANGED, PROBED = 32, 200
"""Images that are moved and changed, and at most those whose features tell classes apart."""
SECONDS, SHARE = 10.0, 0.05
"""Time for all of it: at most, and of that of the run."""


def insight_section(
    page: Page, model: nn.Module, preprocessing: Preprocessing, dataset: Dataset,
    test: Evaluation, spent: float,
) -> None:  # fmt: skip
    """Adds it, within a share of the time that the run has `spent`; what does not suit the net is
    left out, and the page says why.
    """
    if dataset.signals:  # looks are for images
        return
    looked = Subject(model, preprocessing, dataset.classes)
    end = monotonic() + min(SECONDS, SHARE * spent)
    pieces, notes = list[str](), list[str]()
    parts = _parts(looked, dataset, test, lambda share: max(0.0, share * (end - monotonic())))
    with Pace(len(parts), seconds=end - monotonic()) as pace:
        for text, make in pace.over(parts):
            try:
                pieces += [paragraph(text), *make()]
            except NetwrightError as error:
                notes.append(f"left out: {error}")
    if pieces or notes:
        page.add("What the net looks at", *pieces, note="; ".join(notes))


def _parts(
    looked: Subject, dataset: Dataset, test: Evaluation, left: Callable[[float], float]
) -> list[tuple[str, Callable[[], list[str]]]]:
    """What is said of each look, and what makes its pieces; `left` is a share of the time left."""
    every, kept = images_of(dataset), dataset.indices(*SPLITS)
    places = {dataset.names[i]: at for at, i in enumerate(kept)}
    tested = np.random.default_rng(0).permutation([places[name] for name in test.names])
    rows = [(places[row["image"]], row) for row in test.mistakes(MISTAKES)]
    searched, some = every.at(tested[:PATCHES]), every.at(tested[:CHANGED])
    parts = [
        (f"What excites its last maps most, of {len(searched)} test images:",
         lambda: _gallery(_patches(looked, searched))),
        ("The kernels of its first layer:", lambda: _gallery(pictures(filters(looked)))),
        (f"What it makes of {len(some)} test images that are moved:",
         lambda: moved(looked, some, left(1 / 3))),
        ("And of such that are blurred, noisy, pale, without texture or without shape:",
         lambda: sensed(looked, some, left(1 / 2))),
    ]  # fmt: skip
    if rows:
        reasons = "The worst mistakes, and what speaks for the class they are taken for (Grad-CAM):"
        parts.insert(0, (reasons, lambda: _gallery(_reasons(looked, every, rows))))
    if min(np.bincount(test.truth, minlength=len(test.classes))) >= FOLDS:
        parts.append(("Where in the net the classes of the test images come apart:",
                      lambda: charts(separability(looked, every.at(tested), most=PROBED,
                                                  seconds=left(1 / 2)))))  # fmt: skip
    return parts


def _gallery(items: Iterable[tuple[np.ndarray, str]]) -> list[str]:
    return [gallery([(encoded(_small(pixels), SIDE), caption) for pixels, caption in items], SIDE)]


def _reasons(
    looked: Subject, every: Images, rows: Sequence[tuple[int, dict[str, Any]]]
) -> Iterator[tuple[np.ndarray, str]]:  # fmt: skip
    for at, row in rows:
        look = attribute(looked, every[at], "gradcam", row["predicted"])
        yield look.pixels, f"is {row['class']}"
        yield over(look.pixels, look.map), f"taken for {row['predicted']}"


def _patches(
    looked: Subject, images: Images
) -> Iterator[tuple[np.ndarray, str]]:  # fmt: skip
    places = layers(looked.model, looked.picture(images[0]).x.shape[1:])
    path = default_layer(places, dict(looked.model.named_modules()))
    return pictures(top_patches(looked, images, path))


def _small(pixels: np.ndarray) -> np.ndarray:
    """The picture, no larger than it is shown on a screen of twice as many pixels."""
    if max(pixels.shape[:2]) <= 2 * SIDE:
        return pixels
    image = Image.fromarray(pixels)
    image.thumbnail((2 * SIDE, 2 * SIDE))
    return np.asarray(image)
