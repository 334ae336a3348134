"""One image in, one array out: the same for training and for prediction."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from netwright.errors import DataError

__all__ = [
    "SUFFIXES",
    "Preprocessing",
    "header",
    "is_image",
    "opened",
    "read_image",
    "to_bytes",
    "upright",
]

SUFFIXES = frozenset(
    [".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"]
)
"""File names that are taken for images."""

UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
"""What Pillow raises for files that are broken, cut short or too large to be real."""


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
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v
                                  for k, v in given.items()}  # fmt: skip
        return cls(**fields)

    def image(self, image: Any) -> np.ndarray:
        """A path, a Pillow image or an array as uint8 (size, size, channels).

        Raises `DataError` for a file that cannot be read.
        """
        if isinstance(image, str | Path):
            return read_image(image, self.size, self.channels)
        if not isinstance(image, Image.Image):
            image = Image.fromarray(_drawable(to_bytes(np.asarray(image), self.range)))
        return _fitted(image, self.size, self.channels)


def is_image(path: Path, home: Path) -> bool:
    """Whether a file under `home` is taken for an image; what is hidden, such as the copies
    in `.ipynb_checkpoints`, is not.
    """
    hidden = any(part.startswith(".") for part in path.relative_to(home).parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def header(path: Path) -> tuple[tuple[int, int], str]:
    """(width, height) and mode of a file, without decoding it."""
    with Image.open(path) as image:
        return image.size, image.mode


def read_image(path: str | Path, size: int, channels: int) -> np.ndarray:
    """The file as uint8 (size, size, channels); `DataError` when it cannot be read."""
    with opened(path) as image:
        image.draft(None, (size, size))  # lets the JPEG decoder shrink while it decodes
        return _fitted(image, size, channels)


@contextmanager
def opened(path: str | Path) -> Generator[Image.Image]:
    """The image of a file; `DataError` when it cannot be read, there or in the block."""
    if not Path(path).exists():
        raise DataError(f"{path}: no such file")
    try:
        with Image.open(path) as image:
            yield image
    except Image.UnidentifiedImageError:
        raise DataError(f"{path}: no image that Pillow knows") from None
    except UNREADABLE as error:
        raise DataError(f"{path}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    text = str(error).splitlines()
    return text[0] if text else type(error).__name__


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
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits and more
        values = np.nan_to_num(np.asarray(image, dtype=np.float64))
        tops = (1.0, 255.0) if image.mode == "F" else (255.0,)
        top = next((top for top in tops if values.max(initial=0) <= top), 65535.0)
        return Image.fromarray((values * (255 / top)).clip(0, 255).astype(np.uint8))
    if "A" in image.mode or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image


def to_bytes(values: np.ndarray, range: tuple[float, float]) -> np.ndarray:
    """Values of `range` as uint8 from 0 to 255."""
    low, high = range
    if values.dtype == np.uint8 and (low, high) == (0.0, 255.0):
        return values
    scaled = (values.astype(np.float64) - low) * (255 / (high - low))
    return scaled.round().clip(0, 255).astype(np.uint8)


def _drawable(values: np.ndarray) -> np.ndarray:
    """(H, W), (H, W, 1), (H, W, 3) or (H, W, 4) as Pillow takes them."""
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim == 2 or (values.ndim == 3 and values.shape[2] in (3, 4)):
        return np.ascontiguousarray(values)
    raise DataError(f"an image is (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), got {values.shape}")
