"""Augmentation of colours: light, brightness, contrast, saturation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from netwright.data.operation import Batch, Operation, rounded

__all__ = ["ColourJitter", "Lighting"]


@dataclass(frozen=True)
class Lighting(Operation):
    """The colours of every image moved along the principal components of natural images
    (Krizhevsky et al. 2012, section 4.1: a standard deviation of 0.1). Needs 3 channels.
    """

    deviation: float = 0.1

    VALUES: ClassVar = (0.2175, 0.0188, 0.0045)
    """Eigenvalues of the covariance of ImageNet's colours from 0 to 1, as in the fb.resnet code."""
    VECTORS: ClassVar = (
        (-0.5675, 0.7192, 0.4009),
        (-0.5808, -0.0045, -0.8140),
        (-0.5836, -0.6948, 0.4203),
    )

    def draw(self, count: int, generator: Generator) -> Tensor:
        return self.deviation * torch.randn(count, 3, generator=generator)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        pixels = batch.pixels
        if pixels.shape[1] != 3:
            return batch
        shift = (drawn * torch.tensor(self.VALUES)) @ torch.tensor(self.VECTORS).T
        moved = pixels.float() + 255 * shift.view(-1, 3, 1, 1).to(pixels.device)
        return Batch(rounded(moved), batch.labels)


@dataclass(frozen=True)
class ColourJitter(Operation):
    """Brightness, contrast and saturation of every image multiplied by 1 - x to 1 + x
    (Howard 2013, arXiv:1312.5402, section 2.2).
    """

    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4

    def draw(self, count: int, generator: Generator) -> Tensor:
        return 2 * torch.rand(count, 3, generator=generator) - 1

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        pixels = batch.pixels
        spread = torch.tensor([self.brightness, self.contrast, self.saturation])
        factors = (1 + drawn * spread).T.to(pixels.device)
        bright, contrast, saturation = factors[:, :, None, None, None]
        moved = pixels.float() * bright
        moved = moved.lerp(_grey(moved).mean((1, 2, 3), keepdim=True), 1 - contrast)
        moved = moved.lerp(_grey(moved), 1 - saturation)
        return Batch(rounded(moved), batch.labels)


def _grey(pixels: Tensor) -> Tensor:
    """Luma of (N, 3, H, W), and the one channel of grey images, as (N, 1, H, W)."""
    if pixels.shape[1] != 3:
        return pixels.mean(1, keepdim=True)
    weights = torch.tensor([0.299, 0.587, 0.114], device=pixels.device).view(1, 3, 1, 1)
    return (pixels * weights).sum(1, keepdim=True)
