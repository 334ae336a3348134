"""One image in, one array out: the same for training, for prediction and for trained weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image, ImageOps

from netwright.data.reading import opened
from netwright.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Preprocessing", "read_image", "to_bytes", "upright"]

CHUNK = 2**20
"""Numbers that are scaled in floating point at a time."""
WHITE = {"I": 65535, "F": 1}
"""The value of white by mode, where it is not 255. Of 32-bit numbers those of a 16-bit image are
wanted, which Pillow opens so; floats go from 0 to 1."""
LARGEST = 4096
"""Pixels of a side that an image is brought to at most."""
CROPS = ("square", "center", "squash")


@dataclass(frozen=True)
class Preprocessing:
    """What happens to an image before a net sees it: (H, W[, C]) -> (channels, size, size).

    Values of `range` become 0 to 255. Of the `crop`s, `square` brings the largest centred square
    to `size`; `center` the shorter side to `resize` and cuts the middle out; `squash` both sides
    to `resize`, and cuts. Then (x / 255 - mean) / std a channel.

    >>> Preprocessing(224, 3, (0.5,) * 3, (0.5,) * 3, resize=256, crop="center")(
    ...     Image.new("L", (640, 480))).shape
    torch.Size([3, 224, 224])
    """

    size: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    range: tuple[float, float] = (0.0, 255.0)
    resize: int | None = None
    interpolation: str = "bilinear"
    crop: str = "square"
    white: ClassVar[float] = 255.0
    """What values are divided by before mean and deviation are those of `mean` and `std`."""

    def __post_init__(self) -> None:
        size: Any = self.size
        if type(size) is not int or not 1 <= size <= LARGEST:
            raise DataError(f"size is {size!r}, wanted 1 to {LARGEST} pixels")
        numbers = [*self.mean, *self.std]
        if (
            len(self.mean) != len(self.std)
            or not all(map(_finite, numbers))
            or min(self.std, default=1) <= 0
        ):
            raise DataError(f"mean is {self.mean}, std {self.std}; wanted as many numbers each, "
                            "those of std above 0")  # fmt: skip
        kinds = [kind.name.lower() for kind in Image.Resampling]
        if self.interpolation not in kinds:
            raise DataError(f"interpolation is {self.interpolation!r}, "
                            f"wanted one of {', '.join(kinds)}")  # fmt: skip
        if self.crop not in CROPS:
            raise DataError(f"crop is {self.crop!r}, wanted one of {', '.join(CROPS)}")
        resize: Any = self.resize
        if resize is not None and (type(resize) is not int or not 0 < resize <= 8 * self.size):
            raise DataError(f"resize is {resize!r}, wanted 1 to {8 * self.size} pixels, or None")

    @property
    def shape(self) -> tuple[int, ...]:
        """What a net is given of an image."""
        return (self.channels, self.size, self.size)

    @property
    def blank(self) -> np.ndarray:
        """What `image` gives of one that shows nothing."""
        return np.zeros((self.size, self.size, self.channels), np.uint8)

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON's own types."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Preprocessing:
        """The inverse of `to_json`; older texts, without `resize` and what follows, are squares."""
        names = [field.name for field in fields(cls) if field.name in given]
        values: dict[str, Any] = {
            name: tuple(given[name]) if isinstance(given[name], list) else given[name]
            for name in names
        }
        return cls(**values)

    def image(self, image: Any, notes: list[str] | None = None) -> np.ndarray:
        """A path, the bytes of a file, a Pillow image or an array as uint8 (size, size, channels).

        Raises `DataError` for a file that cannot be read; `notes` takes what is worth telling
        of one that can.
        """
        if isinstance(image, str | Path | bytes):
            if (self.crop, self.interpolation) != ("square", "bilinear"):
                with opened(image, None, notes) as whole:
                    return self._cut(whole)
            return read_image(image, self.size, self.channels, notes)
        if not isinstance(image, Image.Image):
            image = Image.fromarray(_drawable(to_bytes(np.asarray(image), self.range)))
        return self._cut(image)

    def __call__(self, image: Any) -> Tensor:
        """The same as the tensor that a net takes: (channels, size, size), normalised."""
        import torch

        if self.channels not in (1, 3):
            raise DataError(f"an image has 1 or 3 channels, the weights take {self.channels}; "
                            "make the tensor yourself")  # fmt: skip
        pixels = torch.tensor(self.image(image)).permute(2, 0, 1) / 255
        mean, std = (torch.tensor(row).view(-1, 1, 1) for row in (self.mean, self.std))
        return ((pixels - mean) / std).contiguous()

    def for_channels(self, count: int) -> Preprocessing:
        """The same for grey images, by the means over the channels, or for more channels, whose
        values come round again.
        """
        if count == self.channels:
            return self
        rows = (self.mean, self.std)
        if count == 1:
            mean, std = [(sum(row) / len(row),) for row in rows]
        else:
            mean, std = [tuple(row[i % len(row)] for i in range(count)) for row in rows]
        return replace(self, channels=count, mean=mean, std=std)

    def _cut(self, image: Image.Image) -> np.ndarray:
        """Resized and cropped, as uint8 (size, size, channels)."""
        if self.crop == "square":
            return _fitted(image, self.size, self.channels, self.interpolation)
        image = upright(image, self.channels)
        resize, short = self.resize or self.size, min(image.size)
        width, height = (
            resize if self.crop == "squash" else resize * side // short for side in image.size
        )
        image = image.resize((width, height), _resampling(self.interpolation))
        left, top = round((width - self.size) / 2), round((height - self.size) / 2)
        image = image.crop((left, top, left + self.size, top + self.size))
        return np.asarray(image, dtype=np.uint8).reshape(self.size, self.size, self.channels)

    def bytes(self, pixels: np.ndarray) -> np.ndarray:
        """The same for uint8 (H, W[, C]) from 0 to 255, whatever the range."""
        return self._cut(Image.fromarray(_drawable(pixels)))


def read_image(
    path: str | Path | bytes, size: int, channels: int, notes: list[str] | None = None
) -> np.ndarray:
    """The file as uint8 (size, size, channels); `DataError` when it cannot be read.

    `notes` takes what is worth telling of it, as of `opened`.
    """
    with opened(path, size, notes) as image:
        return _fitted(image, size, channels)


def upright(image: Image.Image, channels: int) -> Image.Image:
    """Grey or RGB, turned as its camera says, on white where it is transparent."""
    return _plain(ImageOps.exif_transpose(image)).convert("L" if channels == 1 else "RGB")


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and isfinite(value)


def _resampling(name: str) -> Image.Resampling:
    return Image.Resampling[name.upper()]


def _fitted(image: Image.Image, size: int, channels: int, how: str = "bilinear") -> np.ndarray:
    """The largest centred square of the upright image."""
    image = upright(image, channels)
    if image.size != (size, size):
        image = ImageOps.fit(image, (size, size), _resampling(how))
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
