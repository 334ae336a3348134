"""Movements of whole pixels: shifts and mirror images.

A movement only says which row and column of the image comes where; those that follow each other
are one gather.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from netwright.data.operation import Batch, Operation

__all__ = ["AlternatingFlip", "Flip", "Mirroring", "Movement", "Places", "RandomPad", "Shift",
           "moved"]  # fmt: skip


class Places(NamedTuple):
    """Which row (N, H) and column (N, W) of its image a pixel comes from; -1 is none."""

    rows: Tensor
    columns: Tensor


class Movement(Operation):
    """An operation that moves whole pixels."""

    def places(self, places: Places, drawn: Tensor) -> Places:
        """Where the pixels come from after this movement."""
        raise NotImplementedError

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        return Batch(moved(batch.pixels, [(self, drawn)]), batch.labels)


@dataclass(frozen=True)
class Shift(Movement):
    """Every image shifted by up to `part` of its side, its border mirrored: what padding and a
    random crop do (He et al. 2015, arXiv:1512.03385, section 4.2: 4 of 32 pixels).
    """

    part: float = 0.125

    def draw(self, count: int, generator: Generator) -> Tensor:
        return torch.rand(count, 2, generator=generator)

    def places(self, places: Places, drawn: Tensor) -> Places:
        axes = list[Tensor]()
        for index, share in zip(places, drawn.T, strict=True):
            size = index.shape[1]
            source = torch.arange(size) + _shifts(share, self.part, size)
            axes.append(index.gather(1, _mirrored(source, size)))
        return Places(*axes)


@dataclass(frozen=True)
class RandomPad(Shift):
    """Every image shifted by up to `part` of its side, black where it was not
    (Takahashi et al. 2018, arXiv:1811.09030, section 2, call the crop of a padded image so).
    """

    def places(self, places: Places, drawn: Tensor) -> Places:
        axes = list[Tensor]()
        for index, share in zip(places, drawn.T, strict=True):
            size = index.shape[1]
            source = torch.arange(size) + _shifts(share, self.part, size)
            inside = (source >= 0) & (source < size)
            axes.append(index.gather(1, source.clamp(0, size - 1)).where(inside, -1))
        return Places(*axes)


class Mirroring(Movement):
    """Some images mirrored left to right: those for which True is drawn."""

    def places(self, places: Places, drawn: Tensor) -> Places:
        columns = torch.where(drawn[:, None], places.columns.flip(1), places.columns)
        return Places(places.rows, columns)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        flips = drawn.nonzero()[:, 0].to(batch.pixels.device)
        mirrored = batch.pixels.index_select(0, flips).flip(-1)
        return Batch(batch.pixels.index_copy(0, flips, mirrored), batch.labels)


@dataclass(frozen=True)
class Flip(Mirroring):
    """Images mirrored left to right with that chance (Krizhevsky et al. 2012, section 4.1)."""

    chance: float = 0.5

    def draw(self, count: int, generator: Generator) -> Tensor:
        return torch.rand(count, generator=generator) < self.chance


@dataclass(frozen=True)
class AlternatingFlip(Mirroring):
    """Every image mirrored left to right each second time, half of them the first time: two epochs
    show each image both ways (Jordan 2024, arXiv:2404.00498, section 3.6).
    """

    def draw(self, count: int, generator: Generator) -> Tensor:
        return torch.rand(count, generator=generator) < 0.5

    def draw_in_turn(self, turns: Tensor, generator: Generator) -> Tensor:
        return turns % 2 == 0


def moved(pixels: Tensor, movements: Sequence[tuple[Movement, Tensor]]) -> Tensor:
    """All movements as one gather of pixels."""
    count, channels, height, width = pixels.shape
    places = Places(*(torch.arange(size).expand(count, size) for size in (height, width)))
    for movement, drawn in movements:
        places = movement.places(places, drawn)
    device = pixels.device
    rows, columns = (index.to(device) for index in places)
    values = pixels[
        torch.arange(count, device=device)[:, None, None, None],
        torch.arange(channels, device=device)[None, :, None, None],
        rows.clamp(min=0)[:, None, :, None],
        columns.clamp(min=0)[:, None, None, :],
    ]
    outside = (rows < 0)[:, None, :, None] | (columns < 0)[:, None, None, :]
    return values.masked_fill(outside, 0) if outside.any() else values


def _shifts(share: Tensor, part: float, size: int) -> Tensor:
    """Whole pixels from -most to most, all alike, for shares from 0 to 1: (N, 1)."""
    most = max(1, round(part * size)) if part else 0
    return (share * (2 * most + 1)).long().clamp(max=2 * most)[:, None] - most


def _mirrored(index: Tensor, size: int) -> Tensor:
    """Positions outside 0..size-1 mirrored at the first and the last."""
    index = index.abs()
    return torch.where(index >= size, 2 * (size - 1) - index, index).clamp(0, size - 1)
