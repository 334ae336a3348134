"""Modules that act on channels: some of them taken, each scaled."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Channels", "LayerScale"]


class Channels(nn.Module):
    """Channels `start` up to, and without, `stop`: (N, C, ...) -> (N, stop - start, ...)."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.start : self.stop]

    def extra_repr(self) -> str:
        return f"{self.start}, {self.stop}"


class LayerScale(nn.Module):
    """A learnt factor a channel, `factor` at the start: (N, C, ...) -> the same."""

    def __init__(self, channels: int, factor: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), factor))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight.view(-1, *[1] * (x.dim() - 2))

    def extra_repr(self) -> str:
        return f"{len(self.weight)}"
