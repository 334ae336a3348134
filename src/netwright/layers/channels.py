"""Modules that act on channels: some of them taken, each scaled and shifted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["Affine", "Channels", "LayerScale", "SelectChannels"]


class Channels(nn.Module):
    """Channels `start` up to, and without, `stop`: (N, C, ...) -> (N, stop - start, ...)."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.start : self.stop]

    def extra_repr(self) -> str:
        return f"{self.start}, {self.stop}"


class SelectChannels(nn.Module):
    """The channels named, in that order: (N, C, ...) -> (N, len(channels), ...)."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.channels = list(channels)

    def forward(self, x: Tensor) -> Tensor:
        maps = x.unbind(1)  # an index would go to the device at every call
        return torch.stack([maps[channel] for channel in self.channels], 1)

    def extra_repr(self) -> str:
        return f"{self.channels}"


def _spread(values: Tensor, x: Tensor) -> Tensor:
    """One number a channel, as wide as the map `x`."""
    return values.view(-1, *[1] * (x.dim() - 2))


class LayerScale(nn.Module):
    """A learnt factor a channel, `factor` at the start: (N, C, ...) -> the same."""

    def __init__(self, channels: int, factor: float = 1e-6) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.full((channels,), factor))

    def forward(self, x: Tensor) -> Tensor:
        return x * _spread(self.weight, x)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}"


class Affine(nn.Module):
    """A learnt factor and a learnt shift a channel, 1 and 0 at the start: (N, C, ...) -> the
    same.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * _spread(self.weight, x) + _spread(self.bias, x)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}"
