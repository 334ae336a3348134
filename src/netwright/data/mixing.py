"""Augmentation by parts of other images, or of none: cutout, mixup, cutmix.

An image is mixed with its neighbour: the batch is in random order, so that is any other, and it is
in the same slice where several processes share the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from netwright.data.operation import Batch, Operation, rounded

__all__ = ["CutMix", "Cutout", "Mixup", "shared"]


@dataclass(frozen=True)
class Cutout(Operation):
    """A square of `part` of the side of every image, anywhere, becomes grey
    (DeVries & Taylor 2017, arXiv:1708.04552).
    """

    part: float = 0.25

    def draw(self, count: int, generator: Generator) -> Tensor:
        return torch.rand(count, 2, generator=generator)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        inside = _boxes(batch.pixels, torch.full((len(drawn),), self.part), drawn)
        return Batch(batch.pixels.masked_fill(inside, 128), batch.labels)


@dataclass(frozen=True)
class Mixup(Operation):
    """Every image and label averaged with another's, by a weight of Beta(alpha, alpha)
    (Zhang et al. 2017, arXiv:1710.09412, equation 2).
    """

    alpha: float = 0.2

    def draw(self, count: int, generator: Generator) -> Tensor:
        return _beta(self.alpha, count, generator)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        weight, other = drawn.to(batch.pixels.device), _neighbours(batch.pixels)
        mixed = batch.pixels[other].float().lerp(batch.pixels.float(), weight.view(-1, 1, 1, 1))
        shares = shared(batch.labels, classes)
        return Batch(rounded(mixed), shares[other].lerp(shares, weight.view(-1, 1)))


@dataclass(frozen=True)
class CutMix(Operation):
    """A box of every image comes from another, and as much of its label
    (Yun et al. 2019, arXiv:1905.04899, equations 1 and 2).
    """

    alpha: float = 1.0

    def draw(self, count: int, generator: Generator) -> Tensor:
        weight = _beta(self.alpha, count, generator)
        return torch.cat([weight[:, None], torch.rand(count, 2, generator=generator)], 1)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        other = _neighbours(batch.pixels)
        inside = _boxes(batch.pixels, (1 - drawn[:, 0]).sqrt(), drawn[:, 1:])
        mixed = torch.where(inside, batch.pixels[other], batch.pixels)
        kept = 1 - inside.float().mean((1, 2, 3)).view(-1, 1)
        shares = shared(batch.labels, classes)
        return Batch(mixed, shares[other].lerp(shares, kept))


def shared(labels: Tensor, classes: int) -> Tensor:
    """Labels as shares of every class, (N, classes)."""
    return F.one_hot(labels, classes).float() if labels.ndim == 1 else labels


def _neighbours(pixels: Tensor) -> Tensor:
    """For every image another: the images are in random order, so it is the one beside it."""
    index = torch.arange(len(pixels), device=pixels.device)
    return (index ^ 1).clamp(max=len(pixels) - 1)


def _boxes(pixels: Tensor, sides: Tensor, centres: Tensor) -> Tensor:
    """Masks (N, 1, H, W) of a box of that share of each side, centred at shares (N, 2)."""
    masks = list[Tensor]()
    for size, centre in zip(pixels.shape[2:], centres.T, strict=True):
        distance = (torch.arange(size) + 0.5 - centre[:, None] * size).abs()
        masks.append(distance < sides[:, None] * size / 2)
    return (masks[0][:, None, :, None] & masks[1][:, None, None, :]).to(pixels.device)


def _beta(alpha: float, count: int, generator: Generator) -> Tensor:
    """Draws of Beta(alpha, alpha) from the generator alone: X / (X + Y) of two Gamma draws by
    their logarithms, for draws of a small alpha are smaller than any number.
    """
    alpha = max(alpha, 1e-3)
    gamma: Any = torch._standard_gamma  # type: ignore[attr-defined]  # noqa: SLF001
    above = gamma(torch.full((2, count), alpha + 1, dtype=torch.double), generator=generator)
    uniform = 1 - torch.rand(2, count, generator=generator, dtype=torch.double)
    logs = above.log() + uniform.log() / alpha  # Gamma(a) = Gamma(a + 1) U^(1/a)
    return (logs[0] - logs[1]).sigmoid().float()
