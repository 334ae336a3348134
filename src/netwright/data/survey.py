"""A first look at labelled images: sizes, colours, what cannot be read, what comes twice.

Every image is decoded once, small. Of very many files a sample is looked at, and the rest is
checked when it is trained on: a fit should begin within seconds.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from statistics import median
from typing import Any, TypeVar

import numpy as np

from netwright.data.image import Preprocessing
from netwright.data.listing import ArrayReader, Listing, reason
from netwright.data.twins import nearest
from netwright.errors import DataError

__all__ = ["SMALL", "Survey", "each", "survey", "there_are"]

SMALL = 32
"""Side at which images are looked at, where they are not smaller."""
MOST, SAMPLE = 20_000, 2_000
"""Of more files than `MOST` only `SAMPLE` are looked at."""
RARE, LONG = 0.05, 3
"""The share of a mode that is odd, and the ratio of sides."""

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

    @cached_property
    def channels(self) -> int:
        """1 where no image has a colour, else 3."""
        return 1 if (self.small == self.small[..., :1]).all() else 3

    @cached_property
    def side(self) -> int:
        """The median of the images' shorter sides."""
        return int(median(min(size) for size in self.sizes)) if self.sizes else SMALL

    def picture(self, i: int, side: int) -> np.ndarray | None:
        """Image i as it is to be shown, where that is not what a net sees of it."""
        return None

    @cached_property
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

    def odd(self, names: Sequence[str]) -> list[str]:
        """What is unlike the rest: rare modes, images far smaller than most or far from square."""
        modes = Counter(self.modes)
        rare = {mode for mode, count in modes.items() if count <= RARE * len(self.modes)}
        usual = modes.most_common(1)[0][0] if modes else ""
        kinds = [
            (f"of mode {', '.join(sorted(rare))}; most are {usual}",
             [mode in rare for mode in self.modes]),
            (f"less than a quarter of the usual {self.side} pixels a side",
             [4 * min(size) < self.side for size in self.sizes]),
            (f"more than {LONG} times as long as wide; the middle square is looked at",
             [max(size) > LONG * min(size) for size in self.sizes]),
        ]  # fmt: skip
        notes = list[str]()
        for what, flags in kinds:
            which = np.flatnonzero(flags)
            if len(which):
                first = names[int(self.looked[which[0]])]
                notes.append(f"{there_are(len(which))} {what}; the first: {first}")
        return notes

    def prints(self) -> dict[int, bytes]:
        """Bytes of every image that was looked at, which are alike where images are."""
        return {int(i): self.small[at].tobytes() for at, i in enumerate(self.looked)}

    def repeats(self) -> list[tuple[int, int]]:
        """Pairs (image, the first image that is equal to it), pixel by pixel as they were looked
        at.
        """
        first = dict[bytes, int]()
        pairs = [(i, first.setdefault(own, i)) for i, own in self.prints().items()]
        return [(i, other) for i, other in pairs if i != other]

    def twins(self, splits: dict[str, np.ndarray]) -> dict[str, list[tuple[int, int]]]:
        """Pairs (image outside training, image in training) that are `equal`, pixel by pixel of
        the small images, or only `close`: of like prints, and correlated.
        """
        place = {int(i): at for at, i in enumerate(self.looked)}
        train = [place[int(i)] for i in splits["train"] if int(i) in place]
        others = [
            place[int(i)] for part in ("val", "test") for i in splits[part] if int(i) in place
        ]
        exact = {self.small[at].tobytes(): at for at in train}
        equal = {at: twin for at in others
                 if (twin := exact.get(self.small[at].tobytes())) is not None}  # fmt: skip
        close = nearest(self.small, [at for at in others if at not in equal], train)
        return {
            kind: [(int(self.looked[at]), int(self.looked[twin])) for at, twin in pairs.items()]
            for kind, pairs in (("equal", equal), ("close", close))
        }


def there_are(count: int, what: str = "image") -> str:
    """The subject of a sentence on so many.

    >>> there_are(1), there_are(2000)
    ('1 image is', '2,000 images are')
    """
    return f"1 {what} is" if count == 1 else f"{count:,} {what}s are"


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
    hashed = sha256(repr((listing.classes, [listing.names[i] for i in kept])).encode())
    hashed.update(np.array([listing.labels[i] for i in kept], np.int64).tobytes())
    if listing.weights:
        hashed.update(np.array(listing.weights)[kept].tobytes())
    for part in sorted(splits):
        hashed.update(splits[part].astype(np.int64).tobytes())
    hashed.update(seen.small.tobytes())
    for i in kept:
        hashed.update(listing.reader.fingerprint(int(i)) + b";")
    return hashed.hexdigest()[:16]


def _common(values: Iterable[Any], most: int = 8) -> dict[str, int]:
    counts = Counter(values).most_common()
    rest = sum(count for _, count in counts[most:])
    return dict(counts[:most]) | ({"other": rest} if rest else {})
