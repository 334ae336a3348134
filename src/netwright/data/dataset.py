"""Labelled images, split in three: looked at once, decoded when they are needed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from netwright.data.image import Preprocessing
from netwright.data.listing import SPLITS, ArrayReader, Listing, reason
from netwright.data.signals import SignalPreprocessing, SignalReader, look
from netwright.data.source import listed
from netwright.data.split import assigned, split
from netwright.data.stream import Memory, Stream, default_workers
from netwright.data.survey import Survey, digest, each, survey, there_are
from netwright.errors import DataError

__all__ = ["Dataset", "load"]

LARGEST, SMALLEST = 64, 8
"""Sides between which nets that start from nothing get their images when nobody says."""
IN_MEMORY = 700 * 2**20
"""Bytes of pixels that are kept decoded at most; larger sets are decoded as they are trained on."""


@dataclass(frozen=True)
class Dataset:
    """Labelled images and the indices of each split.

    `labels` are class numbers of all images of the listing; `splits` index those that could be
    read. Pixels are decoded when they are asked for, and kept where they fit into memory.
    """

    listing: Listing
    survey: Survey
    labels: np.ndarray
    splits: dict[str, np.ndarray]
    fingerprint: str
    workers: int
    _decoded: dict[Any, Memory] = field(default_factory=dict, repr=False, compare=False)
    _faults: dict[int, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def source(self) -> str:
        """Where the images are from."""
        return self.listing.source

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, by their numbers."""
        return tuple(self.listing.classes)

    @property
    def names(self) -> list[str]:
        """What each image is called."""
        return self.listing.names

    @property
    def channels(self) -> int:
        """1 where no image has a colour, else 3; those of signals."""
        return self.survey.channels

    @property
    def signals(self) -> bool:
        """Whether these are no images but signals (C, L)."""
        return isinstance(self.listing.reader, SignalReader)

    @property
    def size_words(self) -> str:
        """How large the images are, for people."""
        side = self.survey.side
        if self.signals:
            return f"signals of {self.channels} x {side} samples"
        return f"some {side} pixels a side"

    @property
    def unreadable(self) -> list[str]:
        """Images, and folders, that were left out, and why."""
        damaged = [f"{self.names[i]}: {fault}" for i, fault in self.survey.unreadable.items()]
        return [*self.listing.unreadable, *damaged]

    @property
    def black(self) -> list[str]:
        """Images that turned out to be unreadable when they were decoded, and why: the first look
        at very many files is at a sample. They count as black.
        """
        return [f"{self.names[i]}: {fault}" for i, fault in sorted(self._faults.items())]

    @property
    def notes(self) -> list[str]:
        """What else is worth telling of the images."""
        odd = self.survey.odd(self.names)
        return [*self.listing.notes, *self._repeated, *self.survey.notes, *odd]

    @cached_property
    def _repeated(self) -> list[str]:
        """What is told of images that are there more than once."""
        pairs, train = self.survey.repeats(), {*self.splits["train"].tolist()}
        torn = [(i, j) for i, j in pairs if self.labels[i] != self.labels[j]]
        same = [(i, j) for i, j in pairs
                if i in train and j in train and self.labels[i] == self.labels[j]]  # fmt: skip
        notes = list[str]()
        if torn:
            i, j = torn[0]
            notes.append(f"{there_are(len(torn))} there again under another class; the first: "
                         f"{self.names[i]} is {self.names[j]}")  # fmt: skip
        if same:
            i, j = same[0]
            notes.append(f"{there_are(len(same), 'training image')} copies of others; the first: "
                         f"{self.names[i]} is {self.names[j]}")  # fmt: skip
        return notes

    def size(self, *parts: str) -> int:
        """Images of these splits."""
        return sum(len(self.splits[part]) for part in parts or SPLITS)

    def indices(self, *parts: str) -> np.ndarray:
        """The images of these splits, in order."""
        return np.sort(np.concatenate([self.splits[part] for part in parts]))

    def preprocessing(self, size: int | None = None) -> Preprocessing:
        """What images go through before a net that starts from nothing: the largest centred
        square at `size`, or their median side from 8 to 64, and their own mean and deviation.
        Arrays that are not square, such as spectrograms, are squeezed instead. Signals keep
        their length.
        """
        mean, std = self.survey.moments(self.splits["train"], self.channels)
        if self.signals:
            return SignalPreprocessing(size or self.survey.side, self.channels, mean, std)
        side, reader = size or self._side(), self.listing.reader
        crop = "squash" if isinstance(reader, ArrayReader) and not reader.square else "square"
        return Preprocessing(side, self.channels, mean, std, self.listing.range, crop=crop)

    def _side(self) -> int:
        side = min(LARGEST, max(SMALLEST, self.survey.side))
        return side if self.survey.alike else max(SMALLEST, side // 8 * 8)

    def sequence(
        self, indices: np.ndarray, preprocessing: Preprocessing, device: torch.device
    ) -> Memory | Stream:
        """The pixels of these images: in memory where all of the set would fit, decoded once,
        else from worker processes.
        """
        seen = replace(preprocessing, mean=(), std=())
        blank = seen.blank
        if self.size() * blank.nbytes > IN_MEMORY:
            return Stream(self.listing.reader, indices, seen, self.workers, self._faults)
        key = (seen, indices.tobytes(), device)
        if key not in self._decoded:
            pixels = np.zeros((len(indices), *blank.shape), blank.dtype)

            def decode(at: int) -> None:
                i = int(indices[at])
                try:
                    pixels[at] = self.listing.reader.read(i, seen, [])
                except DataError as error:
                    self._faults[i] = reason(error)

            each(decode, range(len(indices)))
            self._decoded[key] = Memory(pixels, device)
        return self._decoded[key]

    def thumbnail(self, i: int, side: int) -> np.ndarray:
        """Image i as uint8 (side, side, channels), to be shown."""
        picture = self.survey.picture(i, side)
        if picture is not None:
            return picture
        seen = Preprocessing(side, self.channels, (), (), self.listing.range)
        return self.listing.reader.read(i, seen, [])

    def forget(self) -> None:
        """Lets the decoded pixels go."""
        self._decoded.clear()

    def weights(self, indices: np.ndarray) -> np.ndarray | None:
        """What these images count in the loss, 1 on average over training; None where all count
        alike.
        """
        if not self.listing.weights:
            return None
        weights = np.array(self.listing.weights, np.float32)
        return weights[indices] / weights[self.splits["train"]].mean()

    def counts(self, part: str) -> list[int]:
        """Images of every class in a split."""
        return np.bincount(self.labels[self.splits[part]], minlength=len(self.classes)).tolist()

    @cached_property
    def imbalance(self) -> float:
        """Images of the largest class for one of the smallest, in training."""
        counts = self.counts("train")
        return max(counts) / max(1, min(counts))

    @cached_property
    def twins(self) -> dict[str, list[tuple[int, int]]]:
        """Images outside training that are in it too, `equal` or `close`; see `Survey.twins`."""
        return self.survey.twins(self.splits)

    def summary(self) -> dict[str, Any]:
        """Everything above as JSON's own types."""
        return {
            "source": self.source,
            "fingerprint": self.fingerprint,
            "classes": list(self.classes),
            "counts": {part: self.counts(part) for part in SPLITS},
            "imbalance": round(self.imbalance, 3),
            "duplicates": len(self.twins["equal"]),
            "near_duplicates": len(self.twins["close"]),
            "images": self.size(),
            "looked_at": len(self.survey.looked),
            "unreadable": self.unreadable,
            "ignored": self.listing.ignored,
            "notes": self.notes,
            **self.survey.common(),
        }


def load(data: Any, *, seed: int = 0, workers: int | None = None, learn: bool = True) -> Dataset:
    """Lists labelled images, wherever they are (see `listed`; a `Listing` is taken as it is), looks
    at them, and splits what is not split yet.

    The same seed gives the same split. Raises `DataError` for what cannot be learnt from; where
    nobody is to `learn` from them, a single image of a single class will do, and all that are not
    split are to test.
    """
    listing = data if isinstance(data, Listing) else listed(data)
    reader = listing.reader
    seen = look(listing, reader) if isinstance(reader, SignalReader) else survey(listing, seed)
    good = np.array([i for i in range(len(listing.names)) if i not in seen.unreadable], np.int64)
    if not len(good):
        first = next(iter(seen.unreadable.items()))
        raise DataError(f"none of {len(listing.names)} images under {listing.source} can be read; "
                        f"the first: {listing.names[first[0]]}: {first[1]}")  # fmt: skip
    labels = np.array(listing.labels, np.int64)
    given = [listing.splits[i] for i in good]
    parts = split(labels[good], given, listing.classes, seed) if learn else assigned(given, "test")
    splits = {part: good[chosen] for part, chosen in parts.items()}
    if learn:
        _count(listing, labels, splits["train"])
    return Dataset(listing, seen, labels, splits, digest(listing, seen, good, splits),
                   default_workers() if workers is None else workers)  # fmt: skip


def _count(listing: Listing, labels: np.ndarray, train: np.ndarray) -> None:
    """Refuses a class of which no training image counts."""
    if listing.weights:
        weights = np.array(listing.weights)[train]
        sums = np.bincount(labels[train], weights, len(listing.classes))
        if not sums.all():
            name = listing.classes[int(sums.argmin())]
            raise DataError(f"all training images of class {name!r} have the weight 0; wanted some "
                            "that count")  # fmt: skip
