"""Image files with something wrong in them are read, or refused in one line."""

from __future__ import annotations

import io
from random import Random

import numpy as np
import pytest
from mutations import broken, is_one_line
from PIL import Image

from netwright.data.image import read_image
from netwright.data.reading import header
from netwright.errors import DataError

KINDS = {
    ".png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    ".jpg": ("L", "RGB", "CMYK"),
    ".gif": ("1", "L", "P", "RGB"),
    ".bmp": ("1", "L", "P", "RGB"),
    ".tif": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"),
    ".webp": ("RGB", "RGBA"),
    ".ppm": ("1", "L", "RGB", "I;16"),
}


def made(random: Random) -> tuple[str, bytes]:
    """An image of any format and mode, and how its name ends."""
    suffix = random.choice(list(KINDS))
    mode = random.choice(KINDS[suffix])
    size = random.choice([1, 2, 7, 16, 33]), random.choice([1, 3, 8, 40])
    values = np.frombuffer(random.randbytes(size[0] * size[1] * 3), np.uint8)
    image = Image.fromarray(values.reshape(size[1], size[0], 3))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image)[..., 0].astype(np.uint16) * 257)
    elif mode == "F":
        image = Image.fromarray(np.asarray(image)[..., 0] / np.float32(255))
    else:
        image = image.convert(mode)
    options = {"exif": _exif(random)} if suffix in {".jpg", ".png", ".webp", ".tif"} else {}
    if suffix == ".jpg" and random.random() < 0.5:
        options["progressive"] = True
    held = io.BytesIO()
    image.save(held, Image.registered_extensions()[suffix], **options)
    return suffix, held.getvalue()


def _exif(random: Random) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = random.randrange(10)
    return exif


@pytest.mark.filterwarnings("ignore")  # Pillow warns of what it reads all the same
def test_images(fuzz, tmp_path):
    def case(random: Random) -> None:
        suffix, data = made(random)
        path = tmp_path / f"x{suffix}"
        path.write_bytes(data)
        side, channels = random.choice([1, 8, 24]), random.choice([1, 3])
        assert read_image(path, side, channels).shape == (side, side, channels)
        path.write_bytes(broken(data, random))
        notes: list[str] = []
        try:
            size, _ = header(path)
            assert min(size) > 0
            pixels = read_image(path, side, channels, notes)
        except DataError as error:
            is_one_line(error, f"{path}: ")
            return
        assert (pixels.shape, pixels.dtype) == ((side, side, channels), np.uint8)
        assert all(note.startswith(f"{path}: ") for note in notes)

    fuzz(300, case)
