"""Pools that encode a whole map, or its patches: Tensor Sketch, VLAD, principal components."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwright.layers.padding import pad

__all__ = ["CompactBilinearPool", "OrderlessPool", "PCAPool"]


class CompactBilinearPool(nn.Module):
    """The sum over positions of x x^T, sketched into `width` numbers: (N, C, H, W) ->
    (N, width) (Gao et al. 2016, arXiv:1511.06062, Tensor Sketch).

    Two count sketches of every position, psi(x)_h(c) += s(c) x_c with random places h and
    signs s, are convolved circularly: ifft(fft(psi_1) fft(psi_2)). Dot products of two
    outputs are those of the full matrices, on average over h and s, which are buffers drawn
    once, from `generator` if given. The paper's signed square root and L2 norm are not
    included.
    """

    place: Tensor
    sign: Tensor

    def __init__(self, channels: int, width: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.channels, self.width = channels, width
        shape = (2, channels)
        self.register_buffer("place", torch.randint(width, shape, generator=generator))
        self.register_buffer("sign", torch.randint(2, shape, generator=generator) * 2.0 - 1)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        if not len(x):  # MKL transforms no empty batch
            return x.flatten(1)[:, :1].expand(-1, self.width)
        rows = wide.flatten(2).transpose(1, 2)
        empty = rows.new_zeros(*rows.shape[:2], self.width)
        first, second = (
            torch.fft.rfft(empty.index_add(2, place, rows * sign))
            for place, sign in zip(self.place, self.sign, strict=True)
        )
        return torch.fft.irfft((first * second).sum(1), self.width).to(x.dtype)

    def extra_repr(self) -> str:
        return f"{self.place.shape[1]}, width={self.width}"


class OrderlessPool(nn.Module):
    """The mean of a map beside VLAD codes of its windows, an L2-normalised part a scale:
    (N, C, H, W) -> (N, C (1 + K S)) for S window sizes (Gong et al. 2014, arXiv:1403.1840).

    A window's descriptor d is its mean. With centres c_1 ... c_K of that scale,
    v_k = sum_d a_k(d) (d - c_k), a = softmax_k(-|d - c_k|^2 / 2 sigma^2); the paper keeps the
    five nearest centres only. Centres are buffers: random until `fit` finds them.
    """

    centres: Tensor

    def __init__(
        self,
        channels: int,
        clusters: int = 8,
        windows: Sequence[int] = (4, 2),
        stride: int = 1,
        sigma: float = 1.0,
    ) -> None:
        super().__init__()
        self.channels, self.clusters = channels, clusters
        self.windows = tuple(windows)
        self.stride = stride
        self.sigma = sigma
        self.register_buffer("centres", torch.randn(len(self.windows), clusters, channels))

    def forward(self, x: Tensor) -> Tensor:
        parts = [x.flatten(2).mean(-1)]
        for size, centres in zip(self.windows, self.centres, strict=True):
            windows = self.descriptors(x, size)
            nearness = windows @ centres.T - centres.square().sum(1) / 2
            share = (nearness / self.sigma**2).softmax(-1)
            code = share.transpose(1, 2) @ windows - share.sum(1)[..., None] * centres
            parts.append(code.flatten(1))
        return torch.cat([F.normalize(part, dim=1) for part in parts], 1)

    def descriptors(self, x: Tensor, size: int) -> Tensor:
        """Means of all windows of that size: (N, positions, C)."""
        pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[x.dim() - 3]
        return pool(x, size, self.stride).flatten(2).transpose(1, 2)

    @torch.no_grad()
    def fit(self, x: Tensor, steps: int = 20, generator: torch.Generator | None = None) -> None:
        """Sets the centres to k-means centres of the windows of `x` (Lloyd's algorithm from
        random windows). Raises `ValueError` where there are fewer windows than centres.
        """
        for size, centres in zip(self.windows, self.centres, strict=True):
            windows = self.descriptors(x, size).flatten(0, 1)
            if len(windows) < len(centres):
                raise ValueError(
                    f"{len(centres)} centres need as many windows, got {len(windows)} of {size}"
                )
            start = torch.randperm(len(windows), generator=generator)[: len(centres)]
            centres.copy_(windows[start.to(windows.device)])
            for _ in range(steps):
                nearest = torch.cdist(windows, centres).argmin(1)
                means = torch.zeros_like(centres).index_add_(0, nearest, windows)
                count = nearest.bincount(minlength=len(centres))[:, None]
                centres.copy_(torch.where(count > 0, means / count.clamp(min=1), centres))

    def extra_repr(self) -> str:
        return (
            f"{self.channels}, clusters={self.clusters}, windows={self.windows}, "
            f"stride={self.stride}, sigma={self.sigma}"
        )


class PCAPool(nn.Module):
    """The first principal components of every patch: (N, C, H, W) -> (N, width, H', W'), a
    stage of PCANet (Chan et al. 2015, arXiv:1404.3606).

    A convolution whose kernels are not learnt but found by `fit`: the leading eigenvectors
    of X X^T, X the patches less their means. They are a buffer, orthonormal at random until
    then. `pads` is a (before, after) pair an axis.
    """

    weight: Tensor

    def __init__(
        self,
        channels: int,
        width: int,
        kernel_size: Sequence[int],
        stride: Sequence[int],
        pads: Sequence[tuple[int, int]],
    ) -> None:
        super().__init__()
        self.channels, self.width = channels, width
        self.kernel_size, self.stride, self.pads = tuple(kernel_size), tuple(stride), tuple(pads)
        weight = torch.empty(width, channels, *kernel_size)
        self.register_buffer("weight", nn.init.orthogonal_(weight))

    def forward(self, x: Tensor) -> Tensor:
        conv = (F.conv1d, F.conv2d, F.conv3d)[x.dim() - 3]
        return conv(pad(x, self.pads), self.weight, stride=self.stride)

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Sets the kernels from all patches of `x`; of each the largest entry is positive."""
        patches = pad(x, self.pads)
        kernel = self.weight.shape[2:]
        for axis, k in enumerate(kernel, 2):
            patches = patches.unfold(axis, k, 1)
        patches = patches.movedim(1, x.dim() - 1).flatten(x.dim() - 1).flatten(0, -2)
        patches = patches - patches.mean(1, keepdim=True)
        _, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        kernels = vectors.T.flip(0)[: len(self.weight)]
        peaks = kernels.gather(1, kernels.abs().argmax(1, keepdim=True))
        self.weight.copy_((kernels * peaks.sign()).view_as(self.weight))

    def extra_repr(self) -> str:
        return f"{list(self.weight.shape)}, stride={self.stride}, pads={self.pads}"
