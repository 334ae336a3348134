"""A page with all looks that suit a model and some images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import Any

import torch

from netwright.core.shape import show
from netwright.drawing.charts import bars
from netwright.drawing.html import Page, gallery, paragraph, table
from netwright.errors import LookError, NetwrightError
from netwright.look.activation import activations
from netwright.look.attribution import attribute
from netwright.look.gabor import SMALLEST, gabors
from netwright.look.geometry import Layer, layers
from netwright.look.kernels import filters
from netwright.look.maximisation import maximise
from netwright.look.occluding import occlusion
from netwright.look.pace import Pace, Tell
from netwright.look.paint import encoded, pictures
from netwright.look.patches import top_patches
from netwright.look.picture import Picture, Subject, subject
from netwright.look.receptive import field
from netwright.look.watch import watching

__all__ = ["depths", "drawn", "look_page"]

WIDTH = 168
"""Pixels that a picture is wide on the page: two find room on a telephone."""
IMAGES, LAYERS, GOALS, STEPS = 4, 4, 4, 96
"""Images whose maps are shown, layers over the depth, images made and their steps."""

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
    parts = _sections(looked, shown, names, seconds)
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


def _sections(
    looked: Subject, shown: Sequence[Picture], names: Sequence[str], seconds: float
) -> list[Section]:  # fmt: skip
    first, end = shown[0], monotonic() + seconds

    @cache
    def places() -> dict[str, Layer]:
        return layers(looked.model, first.x.shape[1:])

    def paths() -> list[str]:
        return depths(places())

    return [
        ("What it says", lambda: _classes(looked, shown, names),
         "Shares of softmax over the classes."),
        ("Which pixels speak for it", lambda: _maps(looked, shown[:IMAGES], names),
         ("Of the likeliest class. Cells of Grad-CAM lie at their true centres; red and blue of "
          "integrated gradients speak for and against. Occlusion is what the logit loses.")),
        ("What its layers make of the first image",
         lambda: [drawn(pictures(activations(looked, first, paths())))],
         "The channels with the largest values, blue below 0, red above, each layer on its scale."),
        ("What the first layer looks for", lambda: _first_layer(looked),
         "Weights as colours, grey at 0, all on one scale."),
        *([("What excites its layers most",
            lambda: _patches(looked, shown, _local(places(), paths())),
            "The boxes of the units that answer most, over all images, cut out exactly.")]
          if len(shown) > 1 else []),
        ("What its layers would like to see",
         lambda: _maximised(looked, first, paths(), end - monotonic()),
         ("Images made to excite the channels that the first image excites most; the number is the "
          "largest value they reach.")),
        ("How far its units see", lambda: _fields(looked, first, paths()),
         "The middle unit: the box it can see, and how strongly it depends on each pixel."),
        ("Layers", lambda: [_layer_table(places())], ""),
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


def drawn(items: Iterable[tuple[Any, str]], width: int = WIDTH) -> str:
    """Pictures as a gallery, fine enough for screens of twice as many pixels."""
    return gallery([(encoded(pixels, 2 * width), caption) for pixels, caption in items], width)


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


def _maps(looked: Subject, shown: Sequence[Picture], names: Sequence[str]) -> list[str]:
    """Of every image two quick maps and occlusion; of the first integrated gradients too. What
    does not suit the model is left out by itself.
    """
    pieces, faults = list[str](), dict[str, None]()
    with Pace(len(shown)) as pace:
        for picture, name in pace.over(zip(shown, names, strict=False)):
            methods = ("gradcam", "gradient", *([] if pieces else ["integrated"]))
            size = max(1, min(picture.x.shape[2:]) // 5)
            parts = [*(partial(attribute, looked, picture, method) for method in methods),
                     partial(occlusion, looked, picture, size, max(1, size // 2))]  # fmt: skip
            every = [(picture.pixels, name)]
            for look in parts:
                try:
                    every += pictures(look())
                except NetwrightError as error:
                    faults[f"Left out: {error}."] = None
            pieces.append(drawn(every))
    return [*pieces, *map(paragraph, faults)]


def _first_layer(looked: Subject) -> list[str]:
    look: Any = filters(looked)
    height, width = look.weight.shape[2:]
    if height == width >= SMALLEST:
        look = gabors(looked)
    return [drawn(pictures(look), 2 * WIDTH)]


def _patches(looked: Subject, shown: Sequence[Picture], paths: Sequence[str]) -> list[str]:
    look = top_patches(looked, shown, [*paths], k=min(9, len(shown)))
    return [drawn(pictures(look), WIDTH // 2)]


def _local(places: dict[str, Layer], paths: Sequence[str]) -> list[str]:
    """The layers whose units see no more than an image, all where none does."""
    sees = {path: places[path].box(clip=False, local=True) for path in paths}
    small = [path for path, box in sees.items()
             if box.bottom - box.top <= places[path].image[0]]  # fmt: skip
    return small or [*paths]


def _maximised(looked: Subject, first: Picture, paths: Sequence[str], seconds: float) -> list[str]:
    looks = list[Any]()
    chosen = paths[-2:]
    outputs = activations(looked, first, chosen).outputs
    for left, path in zip(range(len(chosen), 0, -1), chosen, strict=True):
        best = outputs[path].reshape(len(outputs[path]), -1).max(1)
        channels = (-best).argsort(kind="stable")[:GOALS].tolist()
        begin = monotonic()
        looks.append(maximise(looked, path, channels, steps=STEPS, seconds=seconds / left))
        seconds -= monotonic() - begin
    return [drawn(chain.from_iterable(pictures(look) for look in looks))]


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
