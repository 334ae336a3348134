"""One image in, one array out: the same for training and for prediction."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from netwright.data.reading import opened
from netwright.errors import DataError

__all__ = ["Preprocessing", "read_image", "to_bytes", "upright"]

CHUNK = 2**20
"""Numbers that are scaled in floating point at a time."""
WHITE = {"I": 65535, "F": 1}
"""The value of white by mode, where it is not 255. Of 32-bit numbers those of a 16-bit image are
wanted, which Pillow opens so; floats go from 0 to 1."""


@dataclass(frozen=True)
class Preprocessing:
    """What happens to an image before a net sees it: (H, W[, C]) -> (channels, size, size).

    Values of `range` become 0 to 255, the largest centred square becomes `size` x `size`,
    then (x / 255 - mean) / std a channel.
    """

    size: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    range: tuple[float, float] = (0.0, 255.0)

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON's own types."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Preprocessing:
        """The inverse of `to_json`."""
        values: dict[str, Any] = {}
        for name in (field.name for field in fields(cls)):
            values[name] = tuple(given[name]) if isinstance(given[name], list) else given[name]
        return cls(**values)

    def image(self, image: Any, notes: list[str] | None = None) -> np.ndarray:
        """A path, a Pillow image or an array as uint8 (size, size, channels).

        Raises `DataError` for a file that cannot be read; `notes` takes what is worth telling
        of one that can.
        """
        if isinstance(image, str | Path):
            return read_image(image, self.size, self.channels, notes)
        if not isinstance(image, Image.Image):
            image = Image.fromarray(_drawable(to_bytes(np.asarray(image), self.range)))
        return _fitted(image, self.size, self.channels)


def read_image(
    path: str | Path, size: int, channels: int, notes: list[str] | None = None
) -> np.ndarray:
    """The file as uint8 (size, size, channels); `DataError` when it cannot be read.

    `notes` takes what is worth telling of it, as of `opened`.
    """
    with opened(path, size, notes) as image:
        return _fitted(image, size, channels)


def upright(image: Image.Image, channels: int) -> Image.Image:
    """Grey or RGB, turned as its camera says, on white where it is transparent."""
    return _plain(ImageOps.exif_transpose(image)).convert("L" if channels == 1 else "RGB")


def _fitted(image: Image.Image, size: int, channels: int) -> np.ndarray:
    """The largest centred square of the upright image."""
    image = upright(image, channels)
    if image.size != (size, size):
        image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8).reshape(size, size, channels)


def _plain(image: Image.Image) -> Image.Image:
    """Any mode as one that `convert` turns into grey or RGB without loss of sense."""
    white = WHITE.get(image.mode[0])
    if white:
        values = np.asarray(image)
        low, high = values.min(initial=0), values.max(initial=0)
        if not 0 <= low <= high <= white:
            raise DataError(f"values from {low:g} to {high:g} in an image of mode {image.mode}; "
                            f"wanted 0 to {white:,}, scaled alike in every image")  # fmt: skip
        return Image.fromarray(to_bytes(values, (0.0, white)))
    if "A" in image.mode or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image


def to_bytes(values: np.ndarray, range: tuple[float, float]) -> np.ndarray:
    """Values of `range` as uint8 from 0 to 255."""
    low, high = range
    if values.dtype == np.uint8 and (low, high) == (0.0, 255.0):
        return values
    scaled = np.empty(values.shape, np.uint8)
    pieces = 1 + values.size // CHUNK
    pairs = zip(np.array_split(values, pieces), np.array_split(scaled, pieces), strict=True)
    for given, into in pairs:
        levels = (given.astype(np.float64) - low) * (255 / (high - low))
        into[...] = levels.round().clip(0, 255)
    return scaled


def _drawable(values: np.ndarray) -> np.ndarray:
    """(H, W), (H, W, 1), (H, W, 3) or (H, W, 4) as Pillow takes them."""
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim == 2 or (values.ndim == 3 and values.shape[2] in (3, 4)):
        return np.ascontiguousarray(values)
    raise DataError(f"an image is (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), got {values.shape}")
