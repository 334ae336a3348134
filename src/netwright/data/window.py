"""Augmentation by windows of the image, resized to the whole."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from netwright.data.operation import Batch, Operation, rounded

__all__ = ["ResizedCrop"]


@dataclass(frozen=True)
class ResizedCrop(Operation):
    """A random window of every image, of `least` to all of its area and a ratio of its sides of
    3/4 to 4/3, resized to the whole (Szegedy et al. 2014, arXiv:1409.4842, section 6).
    """

    least: float = 0.35

    def draw(self, count: int, generator: Generator) -> Tensor:
        return torch.rand(count, 4, generator=generator)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        size = batch.pixels.shape[2:]
        windows = self.windows(drawn, *size).tolist()
        # One by one: the kernel for bytes takes a window many times faster than `grid_sample`
        # takes it of a batch.
        pixels = batch.pixels if batch.pixels.device.type == "cpu" else batch.pixels.float()
        moved = [
            F.interpolate(pixels[i : i + 1, :, y : y + high, x : x + wide], size, mode="bilinear")
            for i, (y, x, high, wide) in enumerate(windows)
        ]
        whole = torch.cat(moved)
        return Batch(whole if whole.dtype == torch.uint8 else rounded(whole), batch.labels)

    def windows(self, drawn: Tensor, height: int, width: int) -> Tensor:
        """(top, left, height, width) of every window in whole pixels, (N, 4)."""
        area = self.least + (1 - self.least) * drawn[:, 0]
        ratio = torch.exp((2 * drawn[:, 1] - 1) * math.log(4 / 3))
        sides = torch.stack([(area / ratio).sqrt() * height, (area * ratio).sqrt() * width], 1)
        whole = torch.tensor([height, width])
        sides = torch.minimum(sides.round().long().clamp(min=1), whole)
        corners = (drawn[:, 2:] * (whole - sides + 1)).long().clamp(max=whole - sides)
        return torch.cat([corners, sides], 1)
