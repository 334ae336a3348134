"""The section of a run's page that looks into its net: why the worst mistakes, what excites it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from netwright.look.patches import top_patches
from netwright.look.picture import Subject
from netwright.train.evaluation import Evaluation

__all__ = ["insight_section"]

SIDE = 112
"""Pixels of a side of what is shown: the page is to stay small."""
MISTAKES, PATCHES = 6, 64
"""Mistakes that are explained, and images that are searched for patches."""
SECONDS, SHARE = 10.0, 0.05
"""Time for all of it: at most, and of that of the run."""


def insight_section(
    page: Page, model: nn.Module, preprocessing: Preprocessing, dataset: Dataset,
    result: Evaluation, spent: float,
) -> None:  # fmt: skip
    """Adds it, within a share of the time that the run has `spent`; what does not suit the net is
    left out, and the page says why.
    """
    looked = Subject(model, preprocessing, dataset.classes)
    every, kept = images_of(dataset), dataset.indices(*SPLITS)
    places = {dataset.names[i]: at for at, i in enumerate(kept)}
    rows = result.mistakes(MISTAKES)
    test = [places[name] for name in result.names[:PATCHES]]
    seconds = min(SECONDS, SHARE * spent)
    pieces, notes = list[str](), list[str]()
    parts = (
        ("The worst mistakes, and what speaks for the class they are taken for (Grad-CAM):",
         lambda: _reasons(looked, every, [(places[row["image"]], row) for row in rows])),
        (f"What excites its last maps most, of {len(test)} test images:",
         lambda: _patches(looked, Images(lambda i: every.item(test[i]), len(test)))),
        ("The kernels of its first layer:", lambda: pictures(filters(looked))),
    )  # fmt: skip
    with Pace(len(parts), seconds=seconds) as pace:
        for text, make in pace.over(parts):
            try:
                shown = [(encoded(_small(pixels), SIDE), caption) for pixels, caption in make()]
            except NetwrightError as error:
                notes.append(f"left out: {error}")
                continue
            if shown:
                pieces += [paragraph(text), gallery(shown, SIDE)]
    if pieces:
        page.add("What the net looks at", *pieces, note="; ".join(notes))


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
