"""Labelled images in memory, at one size, split in three: what a net is fitted to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from netwright.core.machine import memory
from netwright.data.arrays import read_arrays
from netwright.data.folder import LAYOUT, each, read_folder
from netwright.data.found import SPLITS, Found
from netwright.data.image import Preprocessing
from netwright.data.split import split
from netwright.errors import DataError

__all__ = ["Dataset", "load"]

LARGEST, SMALLEST = 64, 8
"""Sides between which the size is chosen when nobody says one."""


@dataclass(frozen=True)
class Dataset:
    """Images (N, size, size, channels) of uint8, labels (N,), and the indices of each split.

    `found` is what the look at the data brought up: sizes, modes, unreadable files, notes.
    """

    source: str
    classes: tuple[str, ...]
    pixels: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    splits: dict[str, np.ndarray]
    preprocessing: Preprocessing
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, size, size): the input of a net."""
        p = self.preprocessing
        return (p.channels, p.size, p.size)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over classes, names, labels, pixels and splits, in 16 hexadecimal digits."""
        made = sha256(repr((self.classes, self.names, self.shape)).encode())
        for values in (self.pixels, self.labels, *(self.splits[name] for name in SPLITS)):
            made.update(np.ascontiguousarray(values).tobytes())
        return made.hexdigest()[:16]

    def counts(self, part: str) -> list[int]:
        """Images of every class in a split."""
        return np.bincount(self.labels[self.splits[part]], minlength=len(self.classes)).tolist()

    @cached_property
    def imbalance(self) -> float:
        """Images of the largest class for one of the smallest, in training."""
        counts = self.counts("train")
        return max(counts) / max(1, min(counts))

    @cached_property
    def duplicates(self) -> int:
        """Images outside the training split that equal one in it, pixel by pixel."""
        prints = [sha256(image.tobytes()).digest() for image in self.pixels]
        seen = {prints[i] for i in self.splits["train"]}
        return sum(prints[i] in seen for part in ("val", "test") for i in self.splits[part])

    def summary(self) -> dict[str, Any]:
        """Everything above as JSON's own types."""
        return {
            "source": self.source,
            "fingerprint": self.fingerprint,
            "classes": list(self.classes),
            "counts": {part: self.counts(part) for part in SPLITS},
            "imbalance": round(self.imbalance, 3),
            "duplicates": self.duplicates,
            **self.found,
        }


def load(path: str | Path, *, size: int | None = None, seed: int = 0) -> Dataset:
    """Reads a folder of images or an `.npz`, and splits what is not split yet.

    `size` is the side to bring images to; without it their median side, between 8 and 64.
    The same seed gives the same split. Raises `DataError` for what cannot be learnt from.
    """
    if not str(path):
        raise DataError(f"the data has an empty name; {LAYOUT}")
    path = Path(path)
    found = _found(path)
    side = size or _side(found)
    pixels, good, unreadable, notes = _decoded(found, side)
    if not good:
        raise DataError(f"none of {len(unreadable)} images under {path} can be read; "
                        f"the first: {unreadable[0]}")  # fmt: skip
    labels = np.array([found.labels[i] for i in good])
    splits = split(labels, [found.splits[i] for i in good], found.classes, seed)
    if (pixels == pixels[..., :1]).all():
        pixels = np.ascontiguousarray(pixels[..., :1])
    mean, std = _moments(pixels[splits["train"]])
    return Dataset(
        source=found.source,
        classes=tuple(found.classes),
        pixels=pixels,
        labels=labels,
        names=tuple(found.names[i] for i in good),
        splits=splits,
        preprocessing=Preprocessing(side, pixels.shape[-1], mean, std, found.range),
        found={
            "images": len(good),
            "unreadable": unreadable,
            "ignored": found.ignored,
            "sizes": _common(f"{width}x{height}" for width, height in found.sizes),
            "modes": _common(found.modes),
            "notes": notes,
        },
    )


def _found(path: Path) -> Found:
    try:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder; {LAYOUT}")
        if path.is_dir():
            return read_folder(path)
    except OSError as error:
        raise DataError(f"{error.filename or path} cannot be read: {error.strerror}") from None
    if path.suffix != ".npz":
        raise DataError(f"{path} is no folder and no .npz; {LAYOUT}")
    return read_arrays(path)


def _side(found: Found) -> int:
    """The median shorter side, between 8 and 64; a multiple of 8 unless all are alike."""
    if not found.sizes:
        return SMALLEST
    sides = [min(size) for size in found.sizes]
    side = min(LARGEST, max(SMALLEST, int(median(sides))))
    return side if len(set(found.sizes)) == 1 else max(SMALLEST, side // 8 * 8)


def _decoded(found: Found, side: int) -> tuple[np.ndarray, list[int], list[str], list[str]]:
    """The images that can be read, their places in `found`, what is wrong with the rest, and
    what is worth telling.
    """
    needed = len(found.names) * side * side * 3
    if needed > memory():
        raise DataError(f"{len(found.names):,} images of {side} x {side} pixels need {needed:,} "
                        f"bytes, this machine has {memory():,}; try a smaller --size")  # fmt: skip
    pixels = np.empty((len(found.names), side, side, 3), np.uint8)

    def decode(i: int) -> tuple[str, list[str]]:
        notes: list[str] = []
        try:
            pixels[i] = found.read(i, side, 3, notes)
        except DataError as error:
            return f"{found.names[i]}: {str(error).partition(': ')[2]}", []
        return "", [f"{found.names[i]}: {note.partition(': ')[2]}" for note in notes]

    results = each(decode, range(len(found.names)))
    good = [i for i, (fault, _) in enumerate(results) if not fault]
    if len(good) < len(results):
        pixels = pixels[good]
    unreadable = [*found.unreadable, *(fault for fault, _ in results if fault)]
    notes = [*found.notes, *(note for _, own in results for note in own)]
    return pixels, good, unreadable, notes


def _moments(pixels: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of every channel, of values from 0 to 1.

    From the 256 counts of a channel, so that no copy in floating point is made.
    """
    means, deviations = list[float](), list[float]()
    for channel in range(pixels.shape[-1]):
        counts = np.bincount(pixels[..., channel].reshape(-1), minlength=256)
        values = np.arange(256) / 255
        mean = float(counts @ values / counts.sum())
        variance = float(counts @ (values - mean) ** 2 / counts.sum())
        means.append(round(mean, 6))
        deviations.append(round(max(variance**0.5, 1 / 255), 6))
    return tuple(means), tuple(deviations)


def _common(values: Any, most: int = 8) -> dict[str, int]:
    """The most frequent values and how often they come."""
    counts = Counter(values).most_common()
    rest = sum(count for _, count in counts[most:])
    return dict(counts[:most]) | ({"other": rest} if rest else {})
