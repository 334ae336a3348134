"""Sections of the page of looks: what checks the maps, and what goes over several images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from time import monotonic
from typing import Any

import numpy as np

from netwright.data.dataset import Dataset
from netwright.data.listing import SPLITS
from netwright.drawing.html import paragraph
from netwright.errors import NetwrightError
from netwright.look.activation import activations
from netwright.look.dreaming import dream
from netwright.look.geometry import Layer
from netwright.look.images import Images, images_of
from netwright.look.maximisation import maximise
from netwright.look.pace import ends
from netwright.look.paint import WIDE, drawn, pictures
from netwright.look.patches import top_patches
from netwright.look.picture import Picture, Subject
from netwright.look.plots import charts, compared
from netwright.look.runs import Fitted
from netwright.look.sensing import sensitivity
from netwright.look.separating import separability
from netwright.look.shifting import shift
from netwright.look.sparseness import sparsity
from netwright.look.trusting import trust

__all__ = [
    "apart",
    "dreamt",
    "excited",
    "maximised",
    "moved",
    "sensed",
    "silent",
    "suited",
    "trusted",
    "unlearnt",
]

CHECKED = ("gradcam", "gradient")
"""Methods whose maps are checked."""
STEPS, PIXELS, DREAMS = 4, 8, 2
"""Parts in which weights are shuffled, pixels that images are moved by, layers that dream."""
DEAD = 6
"""Layers with dead channels that are named."""
GOALS, CLIMBED = 4, 96
"""Images made of a layer, and their steps."""
MOST = 200
"""Images of a run's data that are looked at."""


def suited(parts: Iterable[Callable[[], Any]], faults: dict[str, None]) -> Iterator[Any]:
    """The looks that suit the model; why others do not goes to `faults`."""
    for look in parts:
        try:
            yield look()
        except NetwrightError as error:
            faults[f"Left out: {error}."] = None


def trusted(looked: Subject, first: Picture, seconds: float) -> list[str]:
    """The marks of the quick maps, and what became of them while weights were shuffled."""
    faults: dict[str, None] = {}
    parts = [partial(trust, looked, first, method, steps=STEPS, seconds=seconds / len(CHECKED))
             for method in CHECKED]  # fmt: skip
    looks = [*suited(parts, faults)]
    pieces = [piece for look in looks for piece in (paragraph(f"{look.mark}."),
                                                    drawn(pictures(look)))]  # fmt: skip
    return [*pieces, *([compared(looks)] if looks else []), *map(paragraph, faults)]


def moved(looked: Subject, images: Sequence[Any], seconds: float) -> list[str]:
    """The curve of shift invariance."""
    look = shift({"output": looked}, images, PIXELS, seconds=seconds)
    return [*charts(look), *map(paragraph, ends(look.notes))]


def sensed(looked: Subject, images: Sequence[Any], seconds: float) -> list[str]:
    """What the model says of images that are changed, and how they look."""
    look = sensitivity(looked, images, seconds=seconds)
    return [drawn(pictures(look)), *charts(look), *map(paragraph, ends(look.notes))]


def silent(looked: Subject, images: Sequence[Any], seconds: float) -> list[str]:
    """How often channels answer, and where some never do."""
    look = sparsity(looked, images, seconds=seconds)
    dead = {path: len(channels) for path, channels in look.dead.items() if len(channels)}
    count, every = sum(dead.values()), sum(map(len, look.active.values()))
    most = sorted(dead, key=lambda path: -dead[path])[:DEAD]
    where = ", ".join(f"{dead[path]} in {path}" for path in most)
    where += " and others" if len(dead) > DEAD else ""
    text = f"{count} of {every} channels answer nowhere in {look.images} images"
    return [
        paragraph(f"{text}: {where}." if where else f"{text}."),
        *charts(look),
        *map(paragraph, ends(look.notes)),
    ]


def apart(looked: Subject, run: Fitted, seconds: float) -> list[str]:
    """How well each layer tells the classes of the run's data apart."""
    look = separability(looked, unlearnt(run.dataset()), most=MOST, seconds=seconds)
    return [*charts(look), *map(paragraph, ends(look.notes))]


def excited(
    looked: Subject, shown: Sequence[Picture], places: dict[str, Layer], paths: Sequence[str]
) -> list[str]:
    """The pieces of the images that layers answer to most."""
    look = top_patches(looked, shown, _local(places, paths), k=min(9, len(shown)))
    return [drawn(pictures(look), WIDE // 2)]


def _local(places: dict[str, Layer], paths: Sequence[str]) -> list[str]:
    """The layers whose units see no more than an image, all where none does."""
    sees = {path: places[path].box(clip=False, local=True) for path in paths}
    small = [path for path, box in sees.items()
             if box.bottom - box.top <= places[path].image[0]]  # fmt: skip
    return small or [*paths]


def maximised(looked: Subject, first: Picture, paths: Sequence[str], seconds: float) -> list[str]:
    """Images made for the channels of the deepest layers that the first image excites most."""
    looks = list[Any]()
    chosen = paths[-2:]
    outputs = activations(looked, first, chosen).outputs
    for left, path in zip(range(len(chosen), 0, -1), chosen, strict=True):
        best = outputs[path].reshape(len(outputs[path]), -1).max(1)
        channels = (-best).argsort(kind="stable")[:GOALS].tolist()
        begin = monotonic()
        looks.append(maximise(looked, path, channels, steps=CLIMBED, seconds=seconds / left))
        seconds -= monotonic() - begin
    return [drawn(chain.from_iterable(pictures(look) for look in looks))]


def dreamt(
    looked: Subject, first: Picture, paths: Sequence[str], seconds: float
) -> list[str]:  # fmt: skip
    """What the deeper layers make of an image when they are let."""
    chosen = paths[-DREAMS:]
    looks = [dream(looked, first, path, seconds=seconds / len(chosen)) for path in chosen]
    return [drawn([(first.pixels, "the image"), *(shown for look in looks
                                                  for shown in pictures(look))])]  # fmt: skip


def unlearnt(dataset: Dataset) -> Images:
    """The images that a net was not trained on, with their labels."""
    places = np.flatnonzero(np.isin(dataset.indices(*SPLITS), dataset.indices("val", "test")))
    return images_of(dataset).at(places)
