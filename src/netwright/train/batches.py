"""Batches of images: which, in which order, how augmented follows from (seed, epoch, step)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from hashlib import sha256
from math import prod
from typing import NamedTuple, Protocol, TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from netwright.core.shape import Shape
from netwright.data.augment import Batch, augment
from netwright.data.image import Preprocessing
from netwright.data.mixing import shared
from netwright.data.stream import default_workers
from netwright.train.recipe import Recipe

__all__ = ["ALONE", "Images", "Part", "Place", "Source", "ahead", "overlaps", "seed_of",
           "together"]  # fmt: skip


def seed_of(*words: object) -> int:
    """A seed that depends on all words and nothing else."""
    return int.from_bytes(sha256(repr(words).encode()).digest()[:7], "big")


T = TypeVar("T")

MOST, FEWEST, POSITIONS = 256, 16, 256 * 32 * 32
"""Images that are asked at once, and positions of their maps, on a processor."""


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The same, each made by a thread of its own while the one before it is used."""
    source, end = iter(items), object()
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(next, source, end)
        while (item := waiting.result()) is not end:
            waiting = thread.submit(next, source, end)
            yield cast("T", item)


def together(shape: Shape, device: torch.device) -> int:
    """How many images (C, H, W) are asked at once: on a processor no more than its caches profit
    from.

    >>> together((3, 32, 32), torch.device("cpu")), together((3, 224, 224), torch.device("cpu"))
    (256, 16)
    """
    few = MOST if device.type != "cpu" else POSITIONS // prod(shape[1:])
    return min(MOST, max(FEWEST, few))


def overlaps(device: torch.device, recipe: Recipe) -> bool:
    """Whether the next batch should be made while a step is computed: where that leaves cores
    free, and no operation draws from the generator that the step draws from.
    """
    free = device.type != "cpu" or default_workers() > torch.get_num_threads()
    return free and not any(operation.draws_globally for operation in recipe.operations)


class Place(NamedTuple):
    """Which of several processes this is; each takes its slice of every batch."""

    rank: int = 0
    world: int = 1

    def slice(self, count: int) -> slice:
        """The images of a batch of `count` that fall to this process: as even as can be, and an
        even number where mixing needs neighbours.

        >>> Place(1, 2).slice(10)
        slice(4, 10, None)
        """
        pairs = count // 2
        first, last = (pairs * r // self.world for r in (self.rank, self.rank + 1))
        return slice(2 * first, count if self.rank == self.world - 1 else 2 * last)


ALONE = Place()
"""The only process there is."""


class Source(Protocol):
    """Where pixels come from: memory, or files that are decoded when they are needed."""

    def __len__(self) -> int: ...

    def stream(self, batches: Iterable[Tensor]) -> Iterator[Tensor]:
        """uint8 (n, C, H, W) for each batch of indices, in order."""
        ...


class Part:
    """Some images of a source, by their `places` in it (N,)."""

    def __init__(self, source: Source, places: Tensor) -> None:
        self.source, self.places = source, places

    def __len__(self) -> int:
        return len(self.places)

    def stream(self, batches: Iterable[Tensor]) -> Iterator[Tensor]:
        """The images of each batch of indices."""
        return self.source.stream(self.places[batch] for batch in batches)


class Images:
    """Pixels with labels (N,); batches come out normalised, channels last.

    Where images have `weights` (N,), a batch's labels are (n, classes), every row the image's
    weight in the column of its class: so weights are mixed where labels are.
    """

    def __init__(
        self,
        source: Source,
        labels: np.ndarray,
        classes: int,
        preprocessing: Preprocessing,
        device: torch.device,
        weights: np.ndarray | None = None,
    ) -> None:
        self.source, self.classes, self.device = source, classes, device
        self.mirror = False
        self.weights = None if weights is None else torch.from_numpy(weights).float().to(device)
        self.labels = torch.from_numpy(labels.astype(np.int64)).to(device)
        axes = [1] * (preprocessing.blank.ndim - 1)
        mean, std = (preprocessing.white * torch.tensor(row, device=device).view(1, -1, *axes)
                     for row in (preprocessing.mean, preprocessing.std))  # fmt: skip
        self.mean, self.factor, self.shape = mean, 1 / std, preprocessing.shape

    def __len__(self) -> int:
        return len(self.labels)

    def normalised(self, pixels: Tensor) -> Tensor:
        """(x / 255 - mean) / std, channels last; of signals (x - mean) / std."""
        x = (pixels.to(self.device).float() - self.mean) * self.factor
        if x.ndim == 4:
            return x.contiguous(memory_format=torch.channels_last)
        return x.reshape(len(x), *self.shape)

    def epoch(
        self, recipe: Recipe, seed: int, epoch: int, *, first: int = 0, place: Place = ALONE
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The steps of an epoch from `first` on: every image at most once, in an order that
        depends on (seed, epoch), augmented as (seed, epoch, step) says.

        Several processes get slices of the same batches that one would get whole.
        """
        order = torch.randperm(len(self), generator=_generator(seed, epoch, "order"))
        batches = [order[i * recipe.batch : (i + 1) * recipe.batch]
                   for i in range(first, recipe.steps(len(self)))]  # fmt: skip
        own = [batch[place.slice(len(batch))] for batch in batches]
        turns = epoch + torch.randint(2, (len(self),), generator=_generator(seed, "turns"))
        for step, (indices, pixels) in enumerate(
            zip(own, self.source.stream(own), strict=True), first
        ):
            whole = batches[step - first]
            batch = augment(
                Batch(pixels, self._truth(indices.to(self.device))),
                recipe.operations,
                self.classes,
                _generator(seed, epoch, step),
                (place.slice(len(whole)).start, len(whole)),
                turns[whole],
            )
            yield self.normalised(batch.pixels), batch.labels

    def _truth(self, indices: Tensor) -> Tensor:
        labels = self.labels[indices]
        if self.weights is None:
            return labels
        return shared(labels, self.classes) * self.weights[indices, None]

    def part(self, places: np.ndarray) -> Images:
        """Some of the images, in that order; the pixels are shared."""
        twin, chosen = copy(self), torch.from_numpy(places)
        twin.source, twin.labels = Part(self.source, chosen), self.labels[chosen]
        twin.weights = None if self.weights is None else self.weights[chosen]
        return twin

    def mirrored(self) -> Images:
        """The same images as in a mirror, for `inorder`."""
        twin = copy(self)
        twin.mirror = not self.mirror
        return twin

    def inorder(self, batch: int | None = None) -> Iterator[Tensor]:
        """All images as they are; so many at once that their maps stay small unless `batch` says
        how many.
        """
        count = batch or together(self.shape, self.device)
        for pixels in self.source.stream(torch.arange(len(self)).split(count)):
            yield self.normalised(pixels.flip(-1) if self.mirror else pixels)


def _generator(*words: object) -> torch.Generator:
    return torch.Generator().manual_seed(seed_of(*words))
