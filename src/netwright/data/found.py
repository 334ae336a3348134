"""What a folder or a file of arrays holds, before the images are brought to one size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

__all__ = ["SPLITS", "Found"]

SPLITS = ("train", "val", "test")


@dataclass
class Found:
    """Labelled images that were found but not decoded yet; one entry an image in every list.

    `splits` says `train`, `val` or `test` where the data says so, and nothing elsewhere.
    `read(i, size, channels, notes)` decodes image i to uint8 (size, size, channels), or raises
    `DataError`; `notes` takes what is worth telling of it. `notes` of a whole are told once.
    """

    source: str
    classes: list[str]
    names: list[str]
    labels: list[int]
    splits: list[str]
    sizes: list[tuple[int, int]]
    modes: list[str]
    read: Callable[[int, int, int, list[str]], np.ndarray]
    range: tuple[float, float] = (0.0, 255.0)
    unreadable: list[str] = field(default_factory=list)
    ignored: int = 0
    notes: list[str] = field(default_factory=list)
