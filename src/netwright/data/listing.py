"""What a folder, a table or a file of arrays holds, before any image is decoded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from netwright.data.image import Preprocessing
from netwright.data.reading import header
from netwright.errors import DataError

__all__ = ["SPLITS", "ArrayReader", "EncodedReader", "FileReader", "Listing", "PackedReader",
           "Reader", "order", "reason"]  # fmt: skip

SPLITS = ("train", "val", "test")


class Reader(Protocol):
    """How the images of a listing are read; it can be sent to worker processes."""

    def read(self, i: int, preprocessing: Preprocessing, notes: list[str]) -> np.ndarray:
        """Image i as uint8 (size, size, channels); `DataError` when it cannot be read, `notes`
        takes what is worth telling of it.
        """
        ...

    def header(self, i: int) -> tuple[tuple[int, int], str]:
        """(width, height) and mode of image i; `DataError` where it has none."""
        ...

    def fingerprint(self, i: int) -> bytes:
        """Bytes that change when image i does, had without decoding it."""
        ...

    def file(self, i: int) -> Any:
        """Image i as it is kept: the path or the bytes of its file, or in memory a Pillow image or
        a signal (C, L); `DataError` where it is gone.
        """
        ...


class EncodedReader:
    """What readers of image files have in common, wherever `file` finds them."""

    def file(self, i: int) -> bytes | Path:
        """The bytes of image i, or where its file is."""
        raise NotImplementedError

    def read(self, i: int, preprocessing: Preprocessing, notes: list[str]) -> np.ndarray:
        return preprocessing.image(self.file(i), notes)

    def header(self, i: int) -> tuple[tuple[int, int], str]:
        return header(self.file(i))


@dataclass(frozen=True)
class FileReader(EncodedReader):
    """Images in files. Paths are one array of bytes: a list of objects would be copied, page by
    page, into every worker process that counts references to them.
    """

    paths: np.ndarray

    @classmethod
    def of(cls, paths: Sequence[str | Path]) -> FileReader:
        """The reader of these files."""
        return cls(np.array([os.fsencode(path) for path in paths]))

    def file(self, i: int) -> Path:
        """The file of image i."""
        return Path(os.fsdecode(bytes(self.paths[i])))

    def fingerprint(self, i: int) -> bytes:
        try:
            return str(os.stat(bytes(self.paths[i])).st_size).encode()  # noqa: PTH116  faster
        except OSError:
            return b""


@dataclass(frozen=True)
class PackedReader(EncodedReader):
    """Image files one after another in one array of bytes; image i ends where the next begins."""

    data: np.ndarray
    offsets: np.ndarray

    def file(self, i: int) -> bytes:
        """The bytes of image i."""
        return self.data[self.offsets[i] : self.offsets[i + 1]].tobytes()

    def fingerprint(self, i: int) -> bytes:
        return self.file(i)


@dataclass(frozen=True)
class ArrayReader:
    """Images in memory, uint8 (N, H, W, C)."""

    pixels: np.ndarray

    @property
    def square(self) -> bool:
        """Whether the images are as high as wide."""
        return self.pixels.shape[1] == self.pixels.shape[2]

    def read(self, i: int, preprocessing: Preprocessing, notes: list[str]) -> np.ndarray:
        return preprocessing.bytes(self.pixels[i])

    def header(self, i: int) -> tuple[tuple[int, int], str]:
        height, width, channels = self.pixels.shape[1:]
        return (width, height), {1: "L", 3: "RGB", 4: "RGBA"}[channels]

    def fingerprint(self, i: int) -> bytes:
        return self.pixels[i].tobytes()  # they may be larger than they are looked at

    def file(self, i: int) -> Image.Image:
        """Image i, which is in no file."""
        pixels = self.pixels[i]
        return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


@dataclass
class Listing:
    """Labelled images that are known of but not decoded; one entry an image in every list.

    `splits` says `train`, `val` or `test` where the data says so, and nothing elsewhere;
    `weights` what an image counts in the loss, empty where all count alike. `range` are the
    values of black and white in arrays. `unreadable`, `ignored` and `notes` are what the
    listing left out, and what else is worth telling.
    """

    source: str
    classes: list[str]
    names: list[str]
    labels: list[int]
    splits: list[str]
    reader: Reader
    range: tuple[float, float] = (0.0, 255.0)
    weights: list[float] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    ignored: int = 0
    notes: list[str] = field(default_factory=list)


def reason(error: DataError) -> str:
    """What is wrong with a file, without its path."""
    before, colon, after = str(error).partition(": ")
    return after if colon else before


def order(label: str) -> tuple[bool, int, str]:
    """Sorts names of classes: whole numbers by value, then words."""
    whole = label.isascii() and label.isdigit()
    return (not whole, int(label) if whole else 0, label)
