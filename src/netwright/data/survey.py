"""A first look at labelled images: sizes, colours, what cannot be read, what comes twice.

Every image is decoded once, small. Of very many files a sample is looked at, and the rest is
checked when it is trained on: a fit should begin within seconds.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from statistics import median
from typing import Any, TypeVar

import numpy as np

from netwright.data.image import Preprocessing
from netwright.data.listing import ArrayReader, Listing, reason
from netwright.errors import DataError

__all__ = ["SMALL", "Survey", "each", "survey"]

SMALL = 32
"""Side at which images are looked at, where they are not smaller."""
MOST, SAMPLE = 20_000, 2_000
"""Of more files than `MOST` only `SAMPLE` are looked at."""
CLOSE = 2
"""Bits by which the prints of near-duplicates differ at most."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Survey:
    """What was seen of a listing.

    `looked` are the indices of images that were decoded, `small` those images as uint8 (n, side,
    side, 3); `sizes` and `modes` are theirs. `unreadable` says what is wrong with which image.
    """

    looked: np.ndarray
    small: np.ndarray
    sizes: list[tuple[int, int]]
    modes: list[str]
    unreadable: dict[int, str]
    notes: list[str]

    @property
    def grey(self) -> bool:
        """Whether no image has a colour."""
        return bool((self.small == self.small[..., :1]).all())

    @property
    def side(self) -> int:
        """The median of the images' shorter sides."""
        return int(median(min(size) for size in self.sizes)) if self.sizes else SMALL

    @property
    def alike(self) -> bool:
        """Whether all images have one size."""
        return len(set(self.sizes)) <= 1

    def moments(self, among: np.ndarray, channels: int) -> tuple[tuple[float, ...], ...]:
        """Mean and standard deviation of each channel over the images of `among`, from 0 to 1."""
        chosen = self.small[np.isin(self.looked, among)][..., :channels].reshape(-1, channels) / 255
        spread = chosen.std(0).clip(1 / 255)
        return tuple(chosen.mean(0).round(6).tolist()), tuple(spread.round(6).tolist())

    def common(self) -> dict[str, dict[str, int]]:
        """The most frequent sizes and modes, and how often they come."""
        sizes = [f"{width}x{height}" for width, height in self.sizes]
        return {"sizes": _common(sizes), "modes": _common(self.modes)}

    def twins(self, splits: dict[str, np.ndarray]) -> dict[str, list[tuple[int, int]]]:
        """Pairs (image outside training, image in training) that are `equal`, pixel by pixel of
        the small images, or only `close`: their difference prints differ by at most two bits.
        """
        place = {int(i): at for at, i in enumerate(self.looked)}
        train = [place[int(i)] for i in splits["train"] if int(i) in place]
        others = [
            place[int(i)] for part in ("val", "test") for i in splits[part] if int(i) in place
        ]
        exact = {self.small[at].tobytes(): at for at in train}
        prints = _prints(self.small)
        near: dict[int, int] = {}
        for at in train:
            near.setdefault(int(prints[at]), at)
        found: dict[str, list[tuple[int, int]]] = {"equal": [], "close": []}
        for at in others:
            twin = exact.get(self.small[at].tobytes())
            kind = "equal" if twin is not None else "close"
            twin = twin if twin is not None else _nearest(int(prints[at]), near)
            if twin is not None:
                found[kind].append((int(self.looked[at]), int(self.looked[twin])))
        return found


def survey(listing: Listing, seed: int = 0, tell: Callable[[float], None] | None = None) -> Survey:
    """Looks at the images of a listing; `tell` hears the share that is done."""
    count = len(listing.names)
    chosen = np.arange(count)
    if count > MOST and not isinstance(listing.reader, ArrayReader):
        chosen = np.sort(np.random.default_rng(seed).permutation(count)[:SAMPLE])
    headers = each(lambda i: _header(listing, int(i)), chosen)
    sizes = [header[0] for header in headers if not isinstance(header, str)]
    side = min(SMALL, max(1, int(median(min(size) for size in sizes)))) if sizes else SMALL
    small = np.zeros((len(chosen), side, side, 3), np.uint8)
    preprocessing = Preprocessing(side, 3, (), (), listing.range)
    notes = dict[int, list[str]]()

    def look(at: int) -> str:
        header, i = headers[at], int(chosen[at])
        if isinstance(header, str):
            return header
        if tell and at % 64 == 0:
            tell(at / len(chosen))
        try:
            small[at] = listing.reader.read(i, preprocessing, notes.setdefault(at, []))
        except DataError as error:
            return reason(error)
        return ""

    faults = each(look, range(len(chosen)))
    good = [at for at, fault in enumerate(faults) if not fault]
    seen = [headers[at] for at in good]
    return Survey(
        looked=chosen[good],
        small=small[good] if len(good) < len(chosen) else small,
        sizes=[header[0] for header in seen if not isinstance(header, str)],
        modes=[header[1] for header in seen if not isinstance(header, str)],
        unreadable={int(chosen[at]): fault for at, fault in enumerate(faults) if fault},
        notes=[f"{listing.names[int(chosen[at])]}: {note.rpartition(': ')[2]}"
               for at in sorted(notes) for note in notes[at]],
    )  # fmt: skip


def _header(listing: Listing, i: int) -> tuple[tuple[int, int], str] | str:
    try:
        return listing.reader.header(i)
    except DataError as error:
        return reason(error)


def each(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """`work` over items, in order, in as many threads as there are cores; Pillow frees the lock."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))


def digest(listing: Listing, seen: Survey, kept: np.ndarray, splits: dict[str, np.ndarray]) -> str:
    """SHA-256 over classes, names, labels, weights, splits and what tells whether an image
    changed: how it looks small, and the length of its file. 16 hexadecimal digits.
    """
    made = sha256(repr((listing.classes, [listing.names[i] for i in kept])).encode())
    made.update(np.array([listing.labels[i] for i in kept], np.int64).tobytes())
    if listing.weights:
        made.update(np.array(listing.weights)[kept].tobytes())
    for part in sorted(splits):
        made.update(splits[part].astype(np.int64).tobytes())
    made.update(seen.small.tobytes())
    for i in kept:
        made.update(listing.reader.fingerprint(int(i)) + b";")
    return made.hexdigest()[:16]


def _prints(small: np.ndarray) -> np.ndarray:
    """A print of 64 bits an image: whether each of 8 x 8 parts is brighter than the next
    (the difference hash of Krawetz 2013).
    """
    grey = small.astype(np.float32).mean(3)
    if (factor := -(-16 // grey.shape[1])) > 1:
        grey = grey.repeat(factor, 1).repeat(factor, 2)
    rows, columns = (np.linspace(0, grey.shape[1], n + 1).astype(int)[:-1] for n in (8, 9))
    parts = np.add.reduceat(np.add.reduceat(grey, rows, 1), columns, 2)
    widths = np.diff([*columns, grey.shape[2]])
    parts = parts / widths
    bits = (parts[:, :, 1:] > parts[:, :, :-1]).reshape(len(grey), 64)
    return np.packbits(bits, axis=1).view(np.uint64).reshape(-1)


def _nearest(print_: int, near: dict[int, int]) -> int | None:
    """The image in training whose print is equal, or differs by one bit or two."""
    if print_.bit_count() in (0, 64):  # a plain surface looks like every other
        return None
    if print_ in near:
        return near[print_]
    single = (near.get(print_ ^ (1 << i)) for i in range(64))
    one = next((at for at in single if at is not None), None)
    if one is not None or CLOSE < 2:
        return one
    pairs = (near.get(print_ ^ (1 << i) ^ (1 << j)) for i in range(64) for j in range(i))
    return next((at for at in pairs if at is not None), None)


def _common(values: Iterable[Any], most: int = 8) -> dict[str, int]:
    counts = Counter(values).most_common()
    rest = sum(count for _, count in counts[most:])
    return dict(counts[:most]) | ({"other": rest} if rest else {})
