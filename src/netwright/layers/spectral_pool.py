"""Pools that keep the low frequencies of a map."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor, nn

from netwright.layers.windows import Sizes, mean_pool

__all__ = ["SpectralPool", "WaveletPool", "low_pass"]


def low_pass(
    size: int,
    into: int,
    basis: str = "dft",
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """The (into, size) matrix that transforms, keeps the `into` lowest frequencies, and
    transforms back, at the same mean.

    `dft`: P[j, i] = 1/n sum_f w_f cos(2 pi f (j/m - i/n)), f = 0 ... m/2, w = 1, 2, 2, ...;
    of an even m the last weight is 1, the mean of both signs, so that the result is real.
    `dct`: P[j, i] = 1/n sum_f w_f cos(pi f (j + 1/2)/m) cos(pi f (i + 1/2)/n), f < m. The
    sums are Dirichlet kernels; angles are reduced as integers, so they are exact.
    """
    j = torch.arange(into, device=device)[:, None]
    i = torch.arange(size, device=device)
    if basis == "dct":
        left, right = (2 * j + 1) * size, (2 * i + 1) * into
        turn = 4 * size * into
        both = _dirichlet(left - right, turn, into - 1) + _dirichlet(left + right, turn, into - 1)
        return (both / (2 * size)).to(dtype or torch.get_default_dtype())
    at = j * size - i * into
    kernel = _dirichlet(at, size * into, (into - 1) // 2)
    if into % 2 == 0:
        kernel = kernel + (at.double() * (pi / size)).cos()
    return (kernel / size).to(dtype or torch.get_default_dtype())


def _dirichlet(at: Tensor, turn: int, most: int) -> Tensor:
    """1 + 2 sum of cos(f a) for f = 1 ... `most`, at angles a = 2 pi `at` / `turn`."""
    half = (at % turn).double() * (pi / turn)
    whole = half == 0
    return torch.where(
        whole, 2.0 * most + 1, ((2 * most + 1) * half).sin() / half.sin().masked_fill(whole, 1)
    )


class SpectralPool(nn.Module):
    """A map of `size` positions an axis with the lowest frequencies of its input: (N, C, H, W)
    -> (N, C, *size), also for one and three axes (Rippel et al. 2015, arXiv:1506.03767).

    Transform, truncation and inverse of an axis are one small matrix (`low_pass`), so the
    layer is a matrix product an axis: real all along, the same in training and evaluation.
    """

    def __init__(self, size: Sizes, basis: str = "dft") -> None:
        super().__init__()
        self.size = size
        self.basis = basis

    def forward(self, x: Tensor) -> Tensor:
        rank = x.dim() - 2
        sizes = (self.size,) * rank if isinstance(self.size, int) else self.size
        for axis, into in enumerate(sizes, 2):
            if into == x.shape[axis]:
                continue
            matrix = low_pass(x.shape[axis], into, self.basis, x.dtype, x.device)
            if axis == x.dim() - 1:
                x = x @ matrix.T
            else:
                rest = x.shape[axis + 1 :]
                x = (matrix @ x.flatten(axis + 1)).unflatten(-1, rest)
        return x

    def extra_repr(self) -> str:
        return f"size={self.size}, basis={self.basis!r}"


class WaveletPool(nn.Module):
    """The low band of an orthonormal Haar transform of `levels` levels: (N, C, H, W) ->
    (N, C, ceil(H / 2^levels), ...).

    A level sums pairs an axis and divides by sqrt(2); an odd end is paired with itself
    (Williams & Li 2018, "Wavelet Pooling for Convolutional Neural Networks", which drops
    the details of the first level likewise).
    """

    def __init__(self, levels: int = 1) -> None:
        super().__init__()
        self.levels = levels

    def forward(self, x: Tensor) -> Tensor:
        rank = x.dim() - 2
        for _ in range(self.levels):
            # A mean of what is there: an odd end keeps itself.
            x = mean_pool(x, 2, 2, ceil_mode=True)
        return x * 2 ** (rank * self.levels / 2)

    def extra_repr(self) -> str:
        return f"levels={self.levels}"
