"""Signals: arrays (channels, length), such as sounds, heartbeats and EEG, in place of images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image, ImageDraw

from netwright.data.image import Preprocessing
from netwright.data.listing import Listing
from netwright.data.survey import Survey, there_are
from netwright.errors import DataError

__all__ = ["SIGNAL", "SignalPreprocessing", "SignalReader", "look", "preprocessing_of", "resampled"]

SIGNAL = "signal"
"""The crop of signals, by which JSON tells them from images."""
LONGEST = 2**20
"""Samples of a signal at most."""


@dataclass(frozen=True)
class SignalPreprocessing(Preprocessing):
    """What happens to a signal before a net sees it: (C, L) -> (channels, size), each channel
    less its mean, over its deviation; with `map`, (1, channels, size), as nets of two dimensions
    for EEG take it.
    """

    crop: str = SIGNAL
    map: bool = False
    white: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        size: Any = self.size
        if type(size) is not int or not 1 <= size <= LONGEST:
            raise DataError(f"size is {size!r}, wanted 1 to {LONGEST:,} samples")
        numbers = [*self.mean, *self.std]
        if (
            not all(isfinite(number) for number in numbers)
            or {len(self.mean), len(self.std)} - {0, self.channels}
            or min(self.std, default=1) <= 0
        ):
            raise DataError(f"mean is {self.mean}, std {self.std}; wanted a number a channel each, "
                            "those of std above 0")  # fmt: skip

    @property
    def shape(self) -> tuple[int, ...]:
        plain = (self.channels, self.size)
        return (1, *plain) if self.map else plain

    @property
    def blank(self) -> np.ndarray:
        return np.zeros((self.channels, self.size), np.float32)

    def image(self, image: Any, notes: list[str] | None = None) -> np.ndarray:
        """An array (C, L), or (L,) of one channel, or an `.npy` of it, as float32 (channels,
        size); `DataError` where it is none, or not finite.
        """
        values = _opened(image) if isinstance(image, str | Path) else np.asarray(image)
        values = values[None] if values.ndim == 1 else values
        if values.ndim != 2 or len(values) != self.channels or not values.size:
            raise DataError(f"a signal is {values.shape}, wanted ({self.channels}, length)")
        if values.dtype.kind not in "buif" or not np.isfinite(values).all():
            raise DataError("a signal holds values that are no finite numbers")
        return resampled(values.astype(np.float32, copy=False), self.size)

    def bytes(self, pixels: np.ndarray) -> np.ndarray:
        return self.image(pixels)

    def __call__(self, image: Any) -> Any:
        import torch

        x = torch.from_numpy(self.image(image))
        mean, std = (torch.tensor(row).view(-1, 1) for row in (self.mean, self.std))
        return ((x - mean) / std).reshape(self.shape)

    def for_channels(self, count: int) -> Preprocessing:
        if count == self.channels:
            return self
        raise DataError(f"a signal of {self.channels} channels does not suit a net of {count}")


def preprocessing_of(record: dict[str, Any]) -> Preprocessing:
    """What `Preprocessing.to_json` wrote, of images or of signals."""
    kind = SignalPreprocessing if record.get("crop") == SIGNAL else Preprocessing
    return kind.from_json(record)


def resampled(values: np.ndarray, length: int) -> np.ndarray:
    """(C, L) as (C, length): every new sample the mean over its part of the signal.

    >>> resampled(np.array([[1.0, 3.0, 5.0, 7.0]]), 2).tolist()
    [[2.0, 6.0]]
    """
    old = values.shape[1]
    if old == length:
        return values
    edges = np.linspace(0, old, length + 1)
    sums = np.pad(np.cumsum(values, 1, dtype=np.float64), ((0, 0), (1, 0)))
    at = np.stack([np.interp(edges, np.arange(old + 1), row) for row in sums])
    return (np.diff(at, axis=1) * (length / old)).astype(np.float32)


def _opened(path: str | Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: no .npy of a signal ({str(error)[:120]})") from None


@dataclass(frozen=True)
class SignalReader:
    """Signals in memory, float32 (N, C, L)."""

    values: np.ndarray

    def read(self, i: int, preprocessing: Preprocessing, notes: list[str]) -> np.ndarray:
        return preprocessing.image(self.values[i])

    def header(self, i: int) -> tuple[tuple[int, int], str]:
        channels, length = self.values.shape[1:]
        return (length, channels), SIGNAL

    def fingerprint(self, i: int) -> bytes:
        return self.values[i].tobytes()

    def file(self, i: int) -> np.ndarray:
        """Signal i, which is in no file."""
        return self.values[i]


@dataclass(frozen=True)
class _SignalSurvey(Survey):
    """What was seen of signals, which are all of one shape and in memory."""

    reader: SignalReader

    @cached_property
    def channels(self) -> int:
        return self.reader.values.shape[1]

    @cached_property
    def side(self) -> int:
        return self.reader.values.shape[2]

    def moments(self, among: np.ndarray, channels: int) -> tuple[tuple[float, ...], ...]:
        """Mean and standard deviation of each channel over the signals of `among`."""
        chosen = self.reader.values[among]
        mean, spread = chosen.mean((0, 2), np.float64), chosen.std((0, 2), np.float64)
        spread = np.where(spread > 0, spread, 1.0)
        return tuple(_rounded(mean)), tuple(_rounded(spread))

    def odd(self, names: Any) -> list[str]:
        flat = np.flatnonzero(np.ptp(self.reader.values, 2).max(1) == 0)
        if not len(flat):
            return []
        count = there_are(len(flat), "signal")
        return [f"{count} flat, one value in every channel; the first: {names[int(flat[0])]}"]

    def twins(self, splits: dict[str, np.ndarray]) -> dict[str, list[tuple[int, int]]]:
        """Pairs (signal outside training, signal in training) of the same values; none are only
        like each other, for two recordings of one event are that.
        """
        prints = self.prints()
        train = {prints[int(i)]: int(i) for i in splits["train"]}
        others = [int(i) for part in ("val", "test") for i in splits[part]]
        pairs = [(i, train[prints[i]]) for i in others if prints[i] in train]
        return {"equal": pairs, "close": []}

    def prints(self) -> dict[int, bytes]:
        count = len(self.looked)
        return {i: sha256(self.reader.fingerprint(i)).digest() for i in range(count)}

    def picture(self, i: int, side: int) -> np.ndarray:
        """Signal i drawn, its channels below each other, as uint8 (side, side, 1)."""
        values = self.reader.values[i]
        page = Image.new("L", (side, side), 255)
        pen = ImageDraw.Draw(page)
        low, high = values.min(1, keepdims=True), values.max(1, keepdims=True)
        heights = (values - low) / np.where(high > low, high - low, 1)
        rows = side / len(values)
        for channel, row in enumerate(heights):
            x = np.linspace(0, side - 1, len(row))
            y = (channel + 0.9 - 0.8 * row) * rows
            pen.line([*zip(x.tolist(), y.tolist(), strict=True)], fill=30)
        return np.asarray(page, np.uint8)[..., None]


def _rounded(numbers: np.ndarray) -> list[float]:
    return [float(f"{number:.6g}") for number in numbers]


def look(listing: Listing, reader: SignalReader) -> Survey:
    """A first look at signals."""
    count, channels, length = reader.values.shape
    return _SignalSurvey(
        looked=np.arange(count),
        small=np.zeros((0,), np.uint8),
        sizes=[(length, channels)] * count,
        modes=[SIGNAL] * count,
        unreadable={},
        notes=[],
        reader=reader,
    )
