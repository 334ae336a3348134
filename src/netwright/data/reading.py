"""Image files: which are taken for one, what their headers say, their pixels within bounds."""

from __future__ import annotations

import io
import os
import stat
import warnings
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock

from PIL import Image

from netwright.data.jpeg import completed
from netwright.errors import DataError

__all__ = ["SUFFIXES", "header", "is_image", "opened", "relative"]

SUFFIXES = frozenset([
    ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif",
    ".tiff", ".webp",
])  # fmt: skip
"""File names that are taken for images."""
ENDINGS = tuple(SUFFIXES)

PIXELS = 120_000_000
"""An image of more is refused before it is decoded; the largest cameras make some 100 million."""
LARGE = 20_000_000
"""Images of more pixels are decoded one at a time, whatever the number of threads."""
BYTES = 2**28
"""A JPEG cut short that is longer is not looked at again."""
ENDLESS = "the file lacks its end marker; all of its pixels are there"

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # PIXELS is told instead
_alone = Lock()


def is_image(path: str | Path, home: str | Path) -> bool:
    """Whether a file under `home` is taken for an image; what is hidden, such as the copies
    in `.ipynb_checkpoints`, is not.
    """
    below = relative(path, home)
    return below.lower().endswith(ENDINGS) and "/." not in f"/{below}"


def relative(path: str | Path, home: str | Path) -> str:
    """The rest of a path that begins with that of its folder, with slashes."""
    below = str(path).removeprefix(str(home)).lstrip(os.sep)
    return below if os.sep == "/" else below.replace(os.sep, "/")


def header(path: str | Path | bytes) -> tuple[tuple[int, int], str]:
    """(width, height) and mode of a file, without decoding it; `DataError` where it has none."""
    with ExitStack() as stack:
        image = _bounded(path if isinstance(path, bytes) else Path(path), stack)
        return image.size, image.mode


@contextmanager
def opened(
    path: str | Path | bytes, side: int | None = None, notes: list[str] | None = None
) -> Generator[Image.Image]:
    """The decoded image of a file, or of its bytes; `DataError` when it cannot be read, here or
    in the block.

    With `side`, a JPEG is shrunk while it is decoded, to no less than that. What is worth
    telling of a file that was read all the same is added to `notes`.
    """
    path = path if isinstance(path, bytes) else Path(path)
    with ExitStack() as stack:
        image = _decoded(path, side, [] if notes is None else notes, stack)
        try:
            yield image
        except (OSError, ValueError, SyntaxError) as error:
            raise DataError(f"{_name(path)}: {_reason(error)}") from None


def _name(source: Path | bytes) -> str:
    return "packed image" if isinstance(source, bytes) else str(source)


def _bounded(source: Path | bytes, stack: ExitStack) -> Image.Image:
    """The image before it is decoded."""
    name = _name(source)
    if isinstance(source, Path):
        _regular(source)
    try:
        image = stack.enter_context(Image.open(_file(source)))
    except Exception as error:  # noqa: BLE001  what its many readers raise for broken files
        raise DataError(f"{name}: {_reason(error)}") from None
    width, height = image.size
    if width * height > PIXELS:
        raise DataError(f"{name}: {width:,} x {height:,} pixels; wanted at most {PIXELS:,} in all")
    return image


def _file(source: Path | bytes) -> Path | io.BytesIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source


def _regular(path: Path) -> None:
    """Refuses what is no file."""
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # a name with a zero byte
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    if not stat.S_ISREG(kind):
        raise DataError(f"{path}: a folder, pipe or device, wanted a file")


def _decoded(
    source: Path | bytes, side: int | None, notes: list[str], stack: ExitStack
) -> Image.Image:
    image, name = _bounded(source, stack), _name(source)
    if image.width * image.height > LARGE:
        stack.enter_context(_alone)
    try:
        return _loaded(image, side)
    except Exception as error:  # noqa: BLE001  as above
        whole = _mended(source) if image.format == "JPEG" else None
        if whole is None:
            raise DataError(f"{name}: {_reason(error)}") from None
    try:
        mended = _loaded(stack.enter_context(Image.open(io.BytesIO(whole))), side)
    except Exception as error:  # noqa: BLE001  as above
        raise DataError(f"{name}: {_reason(error)}") from None
    notes.append(f"{name}: {ENDLESS}")
    return mended


def _mended(source: Path | bytes) -> bytes | None:
    if isinstance(source, bytes):
        return completed(source)
    return completed(source.read_bytes()) if source.stat().st_size <= BYTES else None


def _loaded(image: Image.Image, side: int | None) -> Image.Image:
    if side:
        image.draft(None, (side, side))
    image.load()
    return image


def _reason(error: Exception) -> str:
    """What is wrong with a file, in one line."""
    if isinstance(error, Image.UnidentifiedImageError):
        return "no image that Pillow knows"
    if isinstance(error, Image.DecompressionBombError):
        return f"too many pixels; wanted at most {PIXELS:,} in all"
    text = str(error).splitlines()
    return text[0] if text and isinstance(error, OSError | ValueError | SyntaxError) else "damaged"
