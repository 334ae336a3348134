"""Small modules: joins, the global mean, channel padding."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "Add",
    "Cat",
    "GlobalAvgPool",
    "Mul",
    "PadChannels",
    "Reshape",
    "Scale",
    "Shift",
    "Subsample",
]


def _like(x: Tensor, rank: int) -> Tensor:
    """`x` with axes of size 1 after its own, so that a (N, C) gate fits a (N, C, H, W) map."""
    return x if x.dim() == rank else x.reshape(x.shape + (1,) * (rank - x.dim()))


class Add(nn.Module):
    """The sum of its inputs; those with fewer axes stretch over the rest."""

    def forward(self, *xs: Tensor) -> Tensor:
        rank = max(x.dim() for x in xs)
        total = _like(xs[0], rank)
        for x in xs[1:]:
            total = total + _like(x, rank)
        return total


class Mul(nn.Module):
    """The product of its inputs; those with fewer axes stretch over the rest."""

    def forward(self, *xs: Tensor) -> Tensor:
        rank = max(x.dim() for x in xs)
        total = _like(xs[0], rank)
        for x in xs[1:]:
            total = total * _like(x, rank)
        return total


class Cat(nn.Module):
    """Its inputs side by side along the channels; maps of one position stretch over the rest."""

    def forward(self, *xs: Tensor) -> Tensor:
        if any(x.shape[2:] != xs[0].shape[2:] for x in xs):
            size = torch.broadcast_shapes(*[x.shape[2:] for x in xs])
            xs = tuple([x.expand(*x.shape[:2], *size) for x in xs])
        return torch.cat(xs, 1)


class GlobalAvgPool(nn.Module):
    """The mean over all positions: (N, C, ...) -> (N, C), with `keep` (N, C, 1, ...)."""

    def __init__(self, keep: bool = False) -> None:
        super().__init__()
        self.keep = keep

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(tuple(range(2, x.dim())), keepdim=self.keep)

    def extra_repr(self) -> str:
        return "keep=True" if self.keep else ""


class Scale(nn.Module):
    """x -> factor x."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x

    def extra_repr(self) -> str:
        return f"{self.factor}"


class PadChannels(nn.Module):
    """`extra` channels of zeros after the given ones."""

    def __init__(self, extra: int) -> None:
        super().__init__()
        self.extra = extra

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, (0, 0) * (x.dim() - 2) + (0, self.extra))

    def extra_repr(self) -> str:
        return f"extra={self.extra}"


class Subsample(nn.Module):
    """Every `stride`-th position an axis, from `start` on."""

    def __init__(self, stride: tuple[int, ...], start: int = 0) -> None:
        super().__init__()
        self.stride = stride
        self.start = start

    def forward(self, x: Tensor) -> Tensor:
        return x[(slice(None), slice(None), *[slice(self.start, None, s) for s in self.stride])]

    def extra_repr(self) -> str:
        return f"stride={self.stride}" + (f", start={self.start}" if self.start else "")


class Shift(nn.Module):
    """x + offset, a fixed number."""

    def __init__(self, offset: float) -> None:
        super().__init__()
        self.offset = offset

    def forward(self, x: Tensor) -> Tensor:
        return x + self.offset

    def extra_repr(self) -> str:
        return f"{self.offset}"


class Reshape(nn.Module):
    """(N, ...) -> (N, *shape), the same elements in the same order."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], *self.shape)

    def extra_repr(self) -> str:
        return f"{self.shape}"
