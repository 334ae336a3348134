"""Pictures of what looks return, as pixels: for pages, which need no matplotlib.

Each picture is uint8 (H, W, 3) and a caption.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from functools import singledispatch
from typing import Any

import numpy as np
from PIL import Image

from netwright.drawing.html import gallery
from netwright.look.activation import Activations, strongest
from netwright.look.attribution import Attribution
from netwright.look.dreaming import Dream
from netwright.look.gabor import Gabors
from netwright.look.kernels import Filters, coloured
from netwright.look.maximisation import Maximised
from netwright.look.occluding import Occlusion
from netwright.look.pace import ends
from netwright.look.patches import TopPatches
from netwright.look.receptive import ReceptiveField
from netwright.look.result import peak, sheet
from netwright.look.sensing import Sensitivity
from netwright.look.trusting import Trust

__all__ = ["drawn", "encoded", "over", "pictures", "signed", "warm"]

Picture = tuple[np.ndarray, str]

WARM = ((0, 0, 4), (33, 12, 74), (87, 16, 110), (138, 34, 106), (188, 55, 84), (228, 90, 49),
        (249, 142, 9), (249, 203, 53), (252, 255, 164))  # fmt: skip
SIGNED = ((5, 48, 97), (42, 113, 178), (107, 172, 209), (194, 221, 236), (247, 246, 246),
          (251, 204, 180), (228, 128, 102), (186, 40, 50), (103, 0, 31))  # fmt: skip
"""Nine colours each of matplotlib's inferno and RdBu, from the least value to the largest."""
CELLS, CHANNELS, KERNELS = 36, 9, 144
"""Channels of a layer's map, rows of patches and kernels that are shown."""
CELL = 24
"""Pixels of a side of what is on a sheet, at least."""
GAP, QUALITY = 255, 88
WIDE = 168
"""Pixels that a picture is wide on a page: two find room on a telephone."""


def warm(values: np.ndarray, top: float) -> np.ndarray:
    """Values from 0 to `top` as colours."""
    return _mixed(WARM, values / top)


def signed(values: np.ndarray, top: float) -> np.ndarray:
    """Values from -top, blue, over 0, white, to top, red."""
    return _mixed(SIGNED, (values / top + 1) / 2)


def _mixed(colours: tuple[tuple[int, int, int], ...], shares: np.ndarray) -> np.ndarray:
    table = np.array(colours, float)
    at = np.nan_to_num(shares).clip(0, 1) * (len(table) - 1)
    low = np.floor(at).astype(int).clip(0, len(table) - 2)
    rest = (at - low)[..., None]
    return (table[low] * (1 - rest) + table[low + 1] * rest).round().astype(np.uint8)


def over(pixels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values (H, W) over a pale image, on the scale that figures have too."""
    top = peak(values)
    colours = signed(values, top) if values.min() < 0 else warm(values, top)
    pale = (pixels.mean(2, keepdims=True) + 128) * (2 / 3)
    return (0.6 * colours + 0.4 * pale).clip(0, 255).round().astype(np.uint8)


def encoded(pixels: np.ndarray, side: int = 0) -> bytes:
    """A PNG file, a JPEG where that is much smaller, as of photographs; small pictures are made
    larger, in whole steps, to some `side` pixels.
    """
    times = max(1, side // max(pixels.shape[:2]))
    image = Image.fromarray(pixels.repeat(times, 0).repeat(times, 1))
    exact, close = io.BytesIO(), io.BytesIO()
    image.save(exact, "PNG", optimize=True)
    image.save(close, "JPEG", quality=QUALITY, subsampling=0)
    files = exact.getvalue(), close.getvalue()
    return files[len(files[0]) > 2 * len(files[1])]


def drawn(items: Iterable[Picture], width: int = WIDE) -> str:
    """Pictures as a gallery, fine enough for screens of twice as many pixels."""
    return gallery([(encoded(pixels, 2 * width), caption) for pixels, caption in items], width)


def _sheet(images: np.ndarray) -> np.ndarray:
    """Images on one sheet, none so small that the lines between are as wide as its pixels."""
    times = -(-CELL // min(images.shape[1:3]))
    return sheet(images.repeat(times, 1).repeat(times, 2), GAP)


@singledispatch
def pictures(look: Any) -> Iterator[Picture]:
    """The pictures of what a look returned."""
    raise TypeError(f"there are no pictures of a {type(look).__name__}")


@pictures.register
def _(look: Attribution) -> Iterator[Picture]:
    where = f" at {look.layer.path}" if look.layer else ""
    early = "".join(f" ({note})" for note in ends(look.notes))
    yield over(look.pixels, look.map), f"{look.method}{where}: {look.name}{early}"


@pictures.register
def _(look: Occlusion) -> Iterator[Picture]:
    top, left, bottom, right = look.boxes[0, 0]
    count, of = int(np.isfinite(look.logit).sum()), look.logit.size
    part = "" if count == of else f" (stopped after {count} of {of} squares)"
    what = f"occlusion by {bottom - top} x {right - left}: what {look.name} loses{part}"
    yield over(look.pixels, look.map), what


@pictures.register
def _(look: Activations) -> Iterator[Picture]:
    for path, values in look.outputs.items():
        if values.ndim == 3:
            top = float(np.abs(values).max()) or 1.0
            cells = signed(strongest(values, CELLS), top)
            yield (_sheet(cells),
                   (f"{path}: {len(cells)} of {len(values)} channels, up to {top:.3g}, "
                    f"{look.sparsity[path]:.0%} not above 0"))  # fmt: skip


@pictures.register
def _(look: Filters) -> Iterator[Picture]:
    shown = look.images()[:KERNELS]
    yield _sheet(shown), f"{look.layer}: {len(shown)} of {len(look.weight)} kernels"


@pictures.register
def _(look: Gabors) -> Iterator[Picture]:
    order = np.argsort(look.residual)[:KERNELS]
    top = float(np.abs(look.weight).max()) or 1.0
    yield _sheet(coloured(look.weight[order], top)), f"{look.layer}, nearest to Gabors first"
    good = int((look.residual < 0.25).sum())
    fits = np.nan_to_num(look.kernels())[order]
    yield (_sheet(coloured(fits, top)),
           f"their Gabor functions; {good} of {len(order)} explain 75% or more")  # fmt: skip


@pictures.register
def _(look: TopPatches) -> Iterator[Picture]:
    each = max(1, CHANNELS // len(look.layers))
    for path, values in look.values.items():
        for channel in np.argsort(-values[:, 0], kind="stable")[:each]:
            crops = [look.crop(path, int(channel), place)
                     for place, index in enumerate(look.images[path][channel])
                     if index >= 0]  # fmt: skip
            yield _sheet(np.stack(crops)), f"{path} {channel}: {values[channel, 0]:.3g}"


@pictures.register
def _(look: ReceptiveField) -> Iterator[Picture]:
    values = np.zeros(look.layer.image) if look.effective is None else look.effective
    colours = warm(values, float(values.max()) or 1.0)
    top, left, bottom, right = look.box
    for row in (top, bottom - 1):
        colours[row, left:right] = 0, 255, 255
    for column in (left, right - 1):
        colours[top:bottom, column] = 0, 255, 255
    tall, broad = bottom - top, right - left
    colours = colours[max(0, top - tall // 2) : bottom + tall // 2,
                      max(0, left - broad // 2) : right + broad // 2]  # fmt: skip
    up, before, down, after = look.whole_box
    sees = f", does see {4 * look.spread[0]:.0f} x {4 * look.spread[1]:.0f}" if look.spread else ""
    yield colours, f"{look.layer.path}: can see {down - up} x {after - before}{sees}"


@pictures.register
def _(look: Maximised) -> Iterator[Picture]:
    where = f"{look.layer} " if look.layer and look.names != (look.layer,) else ""
    for name, copies, values in zip(look.names, look.pixels(), look.values, strict=True):
        for pixels, value in zip(copies, values, strict=True):
            yield pixels, f"{where}{name}: {value:.3g}"


@pictures.register
def _(look: Sensitivity) -> Iterator[Picture]:
    for kind, changed in look.examples.items():
        yield changed[-1], f"{kind}, at its strongest"


@pictures.register
def _(look: Trust) -> Iterator[Picture]:
    pixels, method = look.look.pixels, look.look.method
    yield over(pixels, look.look.map), f"{method}: {look.look.name}"
    for path, values in zip(look.layers, look.maps, strict=True):
        yield over(pixels, values), f"shuffled down to {path}"


@pictures.register
def _(look: Dream) -> Iterator[Picture]:
    yield look.image, f"dream of {look.layer}"
