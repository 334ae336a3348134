"""The pieces of images that excite each channel most, cut out exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from netwright.errors import LookError, nearest
from netwright.look.attribution import PIXELS, attribute
from netwright.look.geometry import Box, Layer, layers
from netwright.look.geometry import layer as layer_at
from netwright.look.images import Images, batches, images_of, size_of
from netwright.look.pace import Pace, Tell
from netwright.look.picture import Subject, subject
from netwright.look.reaching import side_by_side
from netwright.look.result import Look, sheet
from netwright.look.watch import mixes, paths_of, watching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from netwright.data.image import Preprocessing

__all__ = ["TopPatches", "top_patches"]

PADDING = 128
"""The grey of what lies outside the image."""
SHOWN = 12
"""Channels of a figure."""
ACROSS = 6
"""Panels in a row of it."""
UNSEEN = -1
"""The place of a value that has not been looked for."""


@dataclass(frozen=True)
class TopPatches(Look):
    """By layer: `values` (C, k), the largest of each channel, the largest first; `images` (C, k),
    the indices of the images; `units` (C, k, 2), where on the map (y, x). Images count once a
    channel, with their most exciting unit. Where there were fewer, the rest is -1, of value -inf.
    """

    layers: dict[str, Layer]
    values: dict[str, np.ndarray]
    images: dict[str, np.ndarray]
    units: dict[str, np.ndarray]
    subject: Subject = field(repr=False)
    source: Images = field(repr=False)
    passed: int
    """Images that were looked at: all, where there was time for them."""
    beside: str | None = None
    """A method of `attribute` whose map of each unit is drawn beside its crop."""
    notes: tuple[str, ...] = ()

    @property
    def aspect(self) -> float:  # type: ignore[override]  # of each figure, where most have one of all
        """A square for each channel."""
        rows, columns = self._grid()
        return rows / columns

    def crop(self, layer: str, channel: int, place: int) -> np.ndarray:
        """The box of the unit, uint8 (h, w, 3): all it depends on but for global operations, grey
        where it reaches into the padding.
        """
        image, unit = self._at(layer, channel, place)
        pixels = self.subject.picture(image).pixels
        return _cropped(pixels, self._box(layer, unit), PADDING) if unit else pixels

    def reason(self, layer: str, channel: int, place: int, method: str = "deconvnet") -> np.ndarray:
        """What the pixels of that box do for the unit, by a method of `attribute`: (h, w, C),
        zeros in the padding.
        """
        image, unit = self._at(layer, channel, place)
        of = (channel, *unit) if unit else (channel,)
        values = attribute(self.subject, image, method, layer=layer, unit=of, seed=0).values
        values = values.transpose(1, 2, 0)
        return _cropped(values, self._box(layer, unit), 0) if unit else values

    def _at(self, layer: str, channel: int, place: int) -> tuple[Any, tuple[int, int] | None]:
        """The image, and where on the map."""
        chosen = layer_at(self.layers, layer)
        images = self.images[layer]
        if not (0 <= channel < len(images) and 0 <= place < images.shape[1]):
            raise LookError(f"{layer} has {len(images)} channels with {images.shape[1]} patches; "
                            f"there is no patch {place} of channel {channel}")  # fmt: skip
        index = int(images[channel, place])
        if index < 0:
            raise LookError(f"there were fewer images than {place + 1}")
        y, x = self.units[layer][channel, place]
        return self.source[index], (int(y), int(x)) if chosen.is_map else None

    def _box(self, layer: str, unit: tuple[int, int]) -> Box:
        return self.layers[layer].box(unit, clip=False, local=True)

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            f"{path}.{name}": values[path]
            for path in self.layers
            for name, values in (("values", self.values), ("images", self.images),
                                 ("units", self.units))
        }  # fmt: skip

    def facts(self) -> dict[str, Any]:
        return {"layers": list(self.layers), "images": self.passed, "notes": list(self.notes)}

    def draw(self, figure: Figure) -> None:
        rows, columns = self._grid()
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in grid:
            axes.set_axis_off()
        step = 2 if self.beside else 1
        for i, (path, channel) in enumerate(self._channels()):
            places = np.flatnonzero(self.images[path][channel] >= 0)
            crops = np.stack([self.crop(path, channel, int(place)) for place in places])
            grid[i * step].imshow(sheet(crops, 255))
            grid[i * step].set_title(f"{path} {channel}", fontsize=6, loc="left")
            if self.beside:
                reasons = [self.reason(path, channel, int(place), self.beside) for place in places]
                shown = np.stack([_coloured(values) for values in reasons])
                grid[i * step + 1].imshow(sheet(shown, 255))
                grid[i * step + 1].set_title(self.beside, fontsize=6, loc="left")

    def _channels(self) -> list[tuple[str, int]]:
        """The channels to draw: those of each layer with the largest values."""
        count = max(1, SHOWN // len(self.layers))
        return [(path, int(channel)) for path, values in self.values.items()
                for channel in np.argsort(-values[:, 0], kind="stable")[:count]]  # fmt: skip

    def _grid(self) -> tuple[int, int]:
        """Rows and columns of a figure."""
        count = len(self._channels()) * (2 if self.beside else 1)
        columns = min(ACROSS, count)
        return ceil(count / columns), columns


def top_patches(
    model: Any, images: Any, layers: str | Sequence[str], k: int = 9, *, batch: int = 16,
    preprocessing: Preprocessing | None = None, beside: str | None = None,
    seconds: float | None = None, tell: Tell | None = None,
) -> TopPatches:  # fmt: skip
    """For every channel of the layers the `k` images, and the places in them, that excite it most
    (Zeiler & Fergus 2013, section 4.1).

    `images` is what `fit` takes, or anything with a length and an index: paths, arrays, a tensor
    (N, C, H, W), a data set of (image, label). They pass once; what is kept does not grow with
    their number. After `seconds`, or at Ctrl-C, the rest is left out; `tell` hears the share that
    has passed. With `beside`, a method of `attribute` such as `deconvnet`, figures show beside the
    crops what of them excites the unit.
    """
    looked, source = subject(model, preprocessing), images_of(images)
    if len(source) == 0 or k < 1 or batch < 1:
        raise LookError(f"{len(source)} images, k {k}, batch {batch}; wanted at least 1 each")
    if beside is not None and beside not in PIXELS:
        raise nearest("method of pixels", beside, PIXELS)
    paths = paths_of(layers)
    first = looked.picture(source[0]).x
    places = _places(looked, first, paths)
    best = {path: _Best(k) for path in paths}
    pace = Pace(len(source), tell, seconds)
    with watching(looked.model, paths) as watch, torch.no_grad(), pace:
        batch = 1 if mixes(lambda x: side_by_side(watch, x), first) else batch
        for some in pace.over(batches(looked, source, batch), size_of):
            watch.run(some.x)
            for path in paths:
                best[path].take(watch.outputs[path], some.start)
    columns = {path: places[path].shape[-1] if places[path].is_map else 1 for path in paths}
    best_of = {path: best[path].arrays(columns[path]) for path in paths}
    values, at, units = [{p: best_of[p][i] for p in paths} for i in range(3)]
    notes = (*pace.note("images"), *looked.notes)
    return TopPatches(places, values, at, units, looked, source, pace.done, beside, notes)


class _Best:
    """The best so far: value, image and unit of each channel."""

    def __init__(self, k: int) -> None:
        self.k = k
        self.state: tuple[Tensor, Tensor, Tensor] | None = None

    def take(self, output: Tensor, start: int) -> None:
        """Merges a batch (N, C, ...) of the images from `start` on. Where a value lies is looked
        for only if it is kept: to search every map takes as long as to compute it.
        """
        values = output.amax((*range(2, output.dim()),)) if output.dim() > 2 else output
        if values.isnan().any():
            raise LookError("a layer gave values that are no numbers; look at the weights")
        values = values.T
        images = torch.arange(start, start + len(output), device=values.device).expand_as(values)
        units = torch.full_like(images, UNSEEN)
        if self.state is not None:
            values, images, units = (
                torch.cat(pair, 1) for pair in zip(self.state, (values, images, units), strict=True)
            )
        values, order = values.sort(dim=1, descending=True, stable=True)
        keep = order[:, : self.k]
        images, units = images.gather(1, keep), units.gather(1, keep)
        channels, places = torch.nonzero(units == UNSEEN, as_tuple=True)
        if len(channels):
            maps = output[images[channels, places] - start, channels]
            units[channels, places] = maps.reshape(len(channels), -1).argmax(1)
        self.state = values[:, : self.k], images, units

    def arrays(self, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values, images and units of a map with rows of `width`, filled up to k."""
        assert self.state is not None  # there is an image
        best, at, places = self.state
        values, images, units = (part.cpu().numpy() for part in (best.double(), at, places))
        ends = ((0, 0), (0, self.k - values.shape[1]))
        units = np.pad(units, ends)
        return (
            np.pad(values, ends, constant_values=-np.inf),
            np.pad(images, ends, constant_values=-1),
            np.stack([units // width, units % width], axis=2),
        )


def _places(looked: Subject, x: Tensor, paths: Sequence[str]) -> dict[str, Layer]:
    everywhere = layers(looked.model, x.shape[1:])
    places = {path: layer_at(everywhere, path) for path in paths}
    for path, place in places.items():
        if len(place.shape) != 1:
            place.check_map()
        if place.field.axes is None and not place.field.whole:
            raise LookError(f"{path}: nobody knows what its units see")
    return places


def _cropped(pixels: np.ndarray, box: Box, padding: int) -> np.ndarray:
    top, left, bottom, right = box
    height, width = pixels.shape[:2]
    crop = np.full((bottom - top, right - left, pixels.shape[2]), padding, pixels.dtype)
    y0, y1, x0, x1 = max(top, 0), min(bottom, height), max(left, 0), min(right, width)
    if y0 < y1 and x0 < x1:
        crop[y0 - top : y1 - top, x0 - left : x1 - left] = pixels[y0:y1, x0:x1]
    return crop


def _coloured(values: np.ndarray) -> np.ndarray:
    """Signed values (h, w, C) as colours, uint8 (h, w, 3), 0 at grey."""
    values = values if values.shape[2] == 3 else np.repeat(values.sum(2, keepdims=True), 3, 2)
    top = np.abs(values).max() or 1.0
    return ((values / top + 1) * 127.5).round().astype(np.uint8)
