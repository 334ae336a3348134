"""Augmentation of signals, as they come from the sensor (Um et al. 2017, arXiv:1706.00527)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from netwright.data.operation import Batch, Operation

__all__ = ["Delay", "Gain", "Noise"]


class _OfSignals(Operation):
    """Batches are (N, C, L) of floats."""

    signals = True


@dataclass(frozen=True)
class Delay(_OfSignals):
    """Every signal moved in time by up to `part` of its length, either way; its first or last
    value stands where nothing comes in.
    """

    part: float = 0.125

    def draw(self, count: int, generator: Generator) -> Tensor:
        return torch.rand(count, 1, generator=generator)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        pixels = batch.pixels
        length = pixels.shape[-1]
        most = int(self.part * length)
        steps = ((2 * most + 1) * drawn).long().clamp(max=2 * most) - most
        places = (torch.arange(length) - steps).clamp(0, length - 1).to(pixels.device)
        return Batch(pixels.gather(2, places[:, None].expand_as(pixels)), batch.labels)


@dataclass(frozen=True)
class Gain(_OfSignals):
    """Every channel of every signal about its mean larger or smaller, by a factor of deviation
    `deviation` around 1 (scaling in the paper).
    """

    deviation: float = 0.1

    def draw(self, count: int, generator: Generator) -> Tensor:
        return torch.randn(count, 1, generator=generator)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        factor = (1 + self.deviation * drawn).clamp(min=0)[..., None].to(batch.pixels.device)
        mean = batch.pixels.mean(-1, keepdim=True)
        return Batch(mean + factor * (batch.pixels - mean), batch.labels)


@dataclass(frozen=True)
class Noise(_OfSignals):
    """White noise of `deviation` times the deviation of each channel of each signal (jittering in
    the paper).
    """

    deviation: float = 0.05

    def draw(self, count: int, generator: Generator) -> Tensor:
        return torch.randint(2**31, (count, 1), generator=generator)

    def apply(self, batch: Batch, drawn: Tensor, classes: int) -> Batch:
        pixels = batch.pixels
        rows = [
            torch.randn(pixels.shape[1:], generator=torch.Generator().manual_seed(seed))
            for seed in drawn[:, 0].tolist()
        ]
        spread = self.deviation * pixels.std(-1, keepdim=True, correction=0)
        return Batch(pixels + spread * torch.stack(rows).to(pixels.device), batch.labels)
