"""A page with all looks that suit a model and some images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import Any

import torch

from netwright.core.shape import show
from netwright.drawing.charts import bars
from netwright.drawing.html import Page, paragraph, table
from netwright.errors import LookError, NetwrightError
from netwright.look.activation import activations
from netwright.look.attribution import attribute
from netwright.look.gabor import SMALLEST, gabors
from netwright.look.geometry import Layer, layers
from netwright.look.kernels import filters
from netwright.look.occluding import occlusion
from netwright.look.pace import Pace, Tell
from netwright.look.paint import WIDE, drawn, pictures
from netwright.look.panels import (
    apart,
    dreamt,
    excited,
    maximised,
    moved,
    sensed,
    silent,
    suited,
    trusted,
)
from netwright.look.picture import Picture, Subject, subject
from netwright.look.receptive import field
from netwright.look.watch import watching

__all__ = ["depths", "look_page"]

IMAGES, LAYERS = 4, 4
"""Images whose maps are shown, and layers over the depth."""

Section = tuple[str, Callable[[], list[str]], str]
"""A heading, what makes its pieces, and a note."""


def look_page(
    model: Any, images: Sequence[Any], *, title: str = "", seconds: float = 120,
    tell: Tell | None = None,
) -> Page:  # fmt: skip
    """The page: what the model says of the images, which pixels speak for it, what its layers make
    of the first one, what they look for and how far they see.

    After `seconds`, or at Ctrl-C, the page is what there is. A look that does not suit the model
    is left out, and the page says why.
    """
    looked = subject(model)
    shown = [looked.picture(image) for image in images]
    names = [Path(image).name if isinstance(image, str | Path) else f"image {i}"
             for i, image in enumerate(images, 1)]  # fmt: skip
    size = show(tuple(shown[0].x.shape[1:]))
    page = Page(title or type(looked.model).__name__, f"{len(shown)} images, as {size}")
    notes = dict.fromkeys(chain.from_iterable(picture.notes for picture in shown))
    if notes:
        page.subtitle += "; " + "; ".join(notes)
    seen = _Seen(looked, shown, names, seconds)
    parts = [*_quick(seen), *_wide(seen), *_slow(seen)]
    with Pace(len(parts), tell, seconds) as pace:
        for heading, make, note in pace.over(parts):
            try:
                page.add(heading, *make(), note=note)
            except NetwrightError as error:
                page.add(heading, paragraph(f"Left out: {error}."))
    if pace.early:
        why = "It was stopped, or the time was up, before the rest was computed."
        page.add("Not shown", paragraph(why))
    return page


class _Seen:
    """A model, the images it is shown with, and the time there is."""

    def __init__(
        self, looked: Subject, shown: Sequence[Picture], names: Sequence[str], seconds: float
    ) -> None:
        self.looked, self.shown, self.names = looked, shown, names
        self.first, self.end = shown[0], monotonic() + seconds

    def left(self, share: float) -> float:
        """A share of the time that is left."""
        return max(0.0, share * (self.end - monotonic()))

    @cached_property
    def places(self) -> dict[str, Layer]:
        """The layers, for images of this size."""
        return layers(self.looked.model, self.first.x.shape[1:])

    @property
    def paths(self) -> list[str]:
        """Some of them, over the depth."""
        return depths(self.places)


def _quick(seen: _Seen) -> list[Section]:
    """What the model says and why, and what lies open."""
    looked, shown, first = seen.looked, seen.shown, seen.first
    return [
        ("What it says", lambda: _classes(looked, shown, seen.names),
         "Shares of softmax over the classes."),
        ("Which pixels speak for it",
         lambda: _maps(looked, shown[:IMAGES], seen.names, seen.left(1 / 3)),
         ("Of the likeliest class. Cells of Grad-CAM lie at their true centres; red and blue of "
          "integrated gradients speak for and against. Occlusion is what the logit loses.")),
        ("Whether the maps can be trusted", lambda: trusted(looked, first, seen.left(1 / 4)),
         ("Of the first image: a map that stays while weights are shuffled, or whatever the class, "
          "shows the image and not the model (Adebayo et al. 2018).")),
        ("What its layers make of the first image",
         lambda: [drawn(pictures(activations(looked, first, seen.paths)))],
         "The channels with the largest values, blue below 0, red above, each layer on its scale."),
        ("What the first layer looks for", lambda: _first_layer(looked),
         "Weights as colours, grey at 0, all on one scale."),
    ]  # fmt: skip


def _wide(seen: _Seen) -> list[Section]:
    """What holds over images, and data where there are some."""
    looked, shown, run = seen.looked, seen.shown, seen.looked.run
    moving: list[Section] = [
        ("What moving the image changes", lambda: moved(looked, shown, seen.left(1 / 4)),
         "Images moved by whole pixels; what comes in at the edge is the image mirrored."),
        ("What blur, noise and lost texture change",
         lambda: sensed(looked, shown, seen.left(1 / 4)),
         "Texture takes fine patterns away and leaves outlines, shape shuffles tiles."),
    ]  # fmt: skip
    several: list[Section] = [
        ("How often its channels answer", lambda: silent(looked, shown, seen.left(1 / 4)),
         "Over all images and places."),
        ("What excites its layers most",
         lambda: excited(looked, shown, seen.places, seen.paths),
         "The boxes of the units that answer most, over all images, cut out exactly."),
    ]  # fmt: skip
    data: list[Section] = [] if run is None else [
        ("Where the classes come apart", lambda: apart(looked, run, seen.left(1 / 3)),
         "Of images that it did not learn from, each judged by models that did not see it."),
    ]  # fmt: skip
    return [*moving, *data, *(several if len(shown) > 1 else [])]


def _slow(seen: _Seen) -> list[Section]:
    """What its units see and look for."""
    looked, first = seen.looked, seen.first
    return [
        ("How far its units see", lambda: _fields(looked, first, seen.paths),
         "The middle unit: the box it can see, and how strongly it depends on each pixel."),
        ("What its layers would like to see",
         lambda: maximised(looked, first, seen.paths, seen.left(2 / 3)),
         ("Images made to excite the channels that the first image excites most; the number is the "
          "largest value they reach.")),
        ("What its layers dream into the first image",
         lambda: dreamt(looked, first, seen.paths, seen.left(1)),
         "The image, climbed so that the layers answer more (DeepDream)."),
        ("Layers", lambda: [_layer_table(seen.places)], ""),
    ]  # fmt: skip


def depths(places: dict[str, Layer], most: int = LAYERS) -> list[str]:
    """A map of each size, at most so many of them, from the first to the last: the last that
    stands highest among the parts of the model, as the end of a stage does.
    """
    chosen: dict[tuple[int, int], str] = {}
    for path, place in places.items():
        if place.is_map and min(place.size) > 1:
            before = chosen.get(place.size)
            if before is None or path.count(".") <= before.count("."):
                chosen[place.size] = path
    if not chosen:
        raise LookError("no layer of the model gives a map of the image")
    paths = sorted(chosen.values(), key=[*places].index)
    if len(paths) <= most:
        return paths
    return [paths[round(i * (len(paths) - 1) / (most - 1))] for i in range(most)]


def _classes(looked: Subject, shown: Sequence[Picture], names: Sequence[str]) -> list[str]:
    pieces = list[str]()
    with watching(looked.model) as watch, torch.no_grad():
        for picture, name in zip(shown, names, strict=True):
            chances = watch(picture.x)[0].double().softmax(0)
            best = chances.topk(min(5, len(chances)))
            rows = [(looked.name(int(i)), 100 * float(p))
                    for p, i in zip(best.values, best.indices, strict=True)]  # fmt: skip
            if len(pieces) < IMAGES:
                pieces.append(bars(rows, title=name, unit="%", format=lambda value: f"{value:.1f}"))
    images = drawn((picture.pixels, name) for picture, name in zip(shown, names, strict=True))
    return [images, *pieces]


def _maps(
    looked: Subject, shown: Sequence[Picture], names: Sequence[str], seconds: float
) -> list[str]:
    """Of every image two quick maps and occlusion; of the first integrated gradients too."""
    pieces, faults = list[str](), dict[str, None]()
    each = seconds / (len(shown) + 1)
    with Pace(len(shown)) as pace:
        for picture, name in pace.over(zip(shown, names, strict=False)):
            methods = ("gradcam", "gradient", *([] if pieces else ["integrated"]))
            size = max(1, min(picture.x.shape[2:]) // 5)
            parts = [*(partial(attribute, looked, picture, method, seconds=each)
                       for method in methods),
                     partial(occlusion, looked, picture, size, max(1, size // 2),
                             seconds=each)]  # fmt: skip
            looks = suited(parts, faults)
            pieces.append(drawn([(picture.pixels, name), *chain(*map(pictures, looks))]))
    return [*pieces, *map(paragraph, faults)]


def _first_layer(looked: Subject) -> list[str]:
    look: Any = filters(looked)
    height, width = look.weight.shape[2:]
    if height == width >= SMALLEST:
        look = gabors(looked)
    return [drawn(pictures(look), 2 * WIDE)]


def _fields(looked: Subject, first: Picture, paths: Sequence[str]) -> list[str]:
    return [drawn(chain.from_iterable(
        pictures(field(looked, path, images=[first])) for path in paths
    ))]  # fmt: skip


def _layer_table(places: dict[str, Layer]) -> str:
    rows = list[tuple[Any, ...]]()
    for path, place in places.items():
        if place.is_map:
            box = place.box(clip=False)
            sees = f"{box.bottom - box.top} x {box.right - box.left}"
        else:
            sees = "all" if place.field.whole else ""
        rows.append((path, show(place.shape), sees))
    return table(["layer", "output", "sees"], rows, numeric=(1, 2), sortable=True)
