"""Pools over whole axes: the map, its rows, its channels, a pyramid of grids."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["ChannelMean", "GeM", "GlobalMaxPool", "RowMaxPool", "SpatialPyramidPool"]


class GlobalMaxPool(nn.Module):
    """The largest value of every channel: (N, C, ...) -> (N, C), with `keep` (N, C, 1, ...)."""

    def __init__(self, keep: bool = False) -> None:
        super().__init__()
        self.keep = keep

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(tuple(range(2, x.dim())), keepdim=self.keep)

    def extra_repr(self) -> str:
        return "keep=True" if self.keep else ""


class ChannelMean(nn.Module):
    """The mean over all channels: (N, C, ...) -> (N, 1, ...)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1, keepdim=True)


class GeM(nn.Module):
    """y = (mean of max(x, eps)^p)^(1/p) over all positions, the generalised mean (Radenovic et
    al. 2017, arXiv:1711.02512): (N, C, ...) -> (N, C), with `keep` (N, C, 1, ...).

    1 is the mean, infinity the maximum; p is one learnt number unless `learned` is False.
    """

    def __init__(
        self, p: float = 3.0, learned: bool = True, eps: float = 1e-6, keep: bool = False
    ) -> None:
        super().__init__()
        self.learned = learned
        self.p = nn.Parameter(torch.tensor(float(p))) if learned else p
        self.eps = eps
        self.keep = keep

    def forward(self, x: Tensor) -> Tensor:
        axes = tuple(range(2, x.dim()))
        x = x.clamp(min=self.eps)
        # powers of shares of the maximum neither overflow nor all vanish
        top = x.detach().amax(axes, keepdim=True)
        y = (x / top).pow(self.p).mean(axes, keepdim=True).pow(1 / self.p) * top
        return y if self.keep else y.flatten(1)

    def extra_repr(self) -> str:
        return f"p={float(self.p):g}, eps={self.eps}, keep={self.keep}"


class RowMaxPool(nn.Module):
    """The largest value of every row: (N, C, H, W) -> (N, C, H), with `keep` (N, C, H, 1)
    (Shi et al. 2015, DeepPano).
    """

    def __init__(self, keep: bool = False) -> None:
        super().__init__()
        self.keep = keep

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(-1, keepdim=self.keep)

    def extra_repr(self) -> str:
        return "keep=True" if self.keep else ""


class SpatialPyramidPool(nn.Module):
    """Maxima over grids of `sizes` cells an axis, all in one vector, grid by grid: (N, C, H, W)
    -> (N, C sum size^2), whatever H and W (He et al. 2014, arXiv:1406.4729).
    """

    def __init__(self, sizes: tuple[int, ...] = (4, 2, 1)) -> None:
        super().__init__()
        self.sizes = sizes

    def forward(self, x: Tensor) -> Tensor:
        pool = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)[x.dim() - 3]
        return torch.cat([pool(x, size).flatten(1) for size in self.sizes], 1)

    def extra_repr(self) -> str:
        return f"sizes={self.sizes}"
