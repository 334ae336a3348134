"""What an operation of augmentation is: it draws for a batch, then applies what was drawn."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Generator, Tensor

__all__ = ["Batch", "Operation", "rounded"]


class Batch(NamedTuple):
    """Images (N, C, H, W) of uint8, and labels: (N,) of class numbers, or (N, classes) of
    shares once images were mixed.
    """

    pixels: Tensor
    labels: Tensor


class Operation:
    """One step of augmentation; subclasses are frozen dataclasses of plain numbers.

    Those of `signals` take batches of floats (N, C, L). One that `draws_globally` seeds PyTorch's
    own generator for a while.
    """

    signals: ClassVar[bool] = False
    draws_globally: ClassVar[bool] = False

    def draw(self, count: int, generator: Generator) -> Tensor:
        """What is random, a row for each of `count` images."""
        raise NotImplementedError

    def draw_in_turn(self, turns: Tensor, generator: Generator) -> Tensor:
        """What is drawn for images that were shown so often before, (N,)."""
        return self.draw(len(turns), generator)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        """The batch after the operation, image i by row i of what was drawn."""
        raise NotImplementedError


def rounded(pixels: Tensor) -> Tensor:
    """Floats, which it overwrites, as uint8 from 0 to 255."""
    return pixels.round_().clamp_(0, 255).to(torch.uint8)
