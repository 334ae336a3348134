"""Pools guided by super-pixels, by edges, and by every pixel's surroundings."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwright.layers.windows import mean_pool

__all__ = ["EdgePyramidPool", "PixelPyramidPool", "SuperpixelPool"]


class SuperpixelPool(nn.Module):
    """The mean (or `mode="max"`) of a map over every super-pixel: (N, C, H, W) and int64
    labels (N, H, W) from 0 to `regions` - 1 -> (N, C, regions); zero for a label nobody has
    (Kwak et al. 2017, "Weakly Supervised Semantic Segmentation Using Superpixel Pooling
    Network").
    """

    def __init__(self, regions: int, mode: str = "mean") -> None:
        super().__init__()
        self.regions = regions
        self.mode = mode

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        values = x.flatten(2)
        index = labels.flatten(1)[:, None].expand_as(values)
        empty = values.new_zeros(*values.shape[:2], self.regions)
        how = "mean" if self.mode == "mean" else "amax"
        return empty.scatter_reduce(2, index, values, how, include_self=False)

    def extra_repr(self) -> str:
        return f"{self.regions}, mode={self.mode!r}"


class EdgePyramidPool(nn.Module):
    """The map beside means of its cells that leave edges out, one grid a level, every mean
    spread over its cell: (N, C, H, W) -> (N, C (1 + levels), H, W).

    A pyramid of pooled grids (Zhao et al. 2017, arXiv:1612.01105) whose means weigh a
    position by exp(-g^2 / scale^2), g^2 the squared steps to its neighbours, summed over
    axes and averaged over channels: the edge-stopping function of Perona & Malik 1990.
    """

    def __init__(self, levels: Sequence[int] = (1, 2, 3, 6), scale: float = 1.0) -> None:
        super().__init__()
        self.levels = tuple(levels)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight(x)
        pool = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)[x.dim() - 3]
        parts = [x]
        for level in self.levels:
            mean = pool(x * weight, level) / pool(weight, level)
            parts.append(F.interpolate(mean, list(x.shape[2:])))
        return torch.cat(parts, 1)

    def weight(self, x: Tensor) -> Tensor:
        """(N, 1, H, W): near 1 on flat ground, near 0 on either side of an edge."""
        strength = torch.zeros_like(x[:, :1])
        for axis in range(2, x.dim()):
            steps = x.diff(dim=axis).square().mean(1, keepdim=True)
            rest = [0, 0] * (x.dim() - 1 - axis)
            strength = strength + F.pad(steps, [*rest, 0, 1]) + F.pad(steps, [*rest, 1, 0])
        # where all is edge, all positions count alike
        return (-strength / self.scale**2).exp().clamp(min=1e-6)

    def extra_repr(self) -> str:
        return f"levels={self.levels}, scale={self.scale}"


class PixelPyramidPool(nn.Module):
    """The largest value (or `mode="mean"`) of windows of several odd sizes around every
    pixel, side by side: (N, C, H, W) -> (N, C len(windows), H, W) (Park & Lee 2016,
    "Look Wider to Match Image Patches With Convolutional Neural Networks").

    Windows are cut at the border. A window is taken an axis at a time, so a size of k costs
    k, not k^2, an element and axis.
    """

    def __init__(self, windows: Sequence[int] = (27, 9, 3, 1), mode: str = "max") -> None:
        super().__init__()
        self.windows = tuple(windows)
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.pool(x, size) for size in self.windows], 1)

    def pool(self, x: Tensor, size: int) -> Tensor:
        """The map pooled with one window."""
        rank = x.dim() - 2
        largest = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[rank - 1]
        for axis in range(rank):
            kernel = tuple(size if i == axis else 1 for i in range(rank))
            pad = tuple(k // 2 for k in kernel)
            if self.mode == "max":
                x = largest(x, kernel, 1, pad)
            else:
                x = mean_pool(x, kernel, 1, pad, count_include_pad=False)
        return x

    def extra_repr(self) -> str:
        return f"windows={self.windows}, mode={self.mode!r}"
