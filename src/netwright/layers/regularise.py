"""Noise for training: dropped paths and blocks, shaken branches, cut squares, soft labels.

Layers that draw have an attribute `generator`; None is PyTorch's own.
"""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwright.layers.activation import straight_through

__all__ = ["Cutout", "DropBlock", "DropPath", "ShakeDrop", "smooth_labels"]

_MAX_POOL = (F.max_pool1d, F.max_pool2d, F.max_pool3d)


def _an_image(x: Tensor) -> tuple[int, ...]:
    """The shape of one number an image that stretches over `x`."""
    return (x.shape[0],) + (1,) * (x.dim() - 1)


class _Drawing(nn.Module):
    """A layer that draws from `generator`."""

    generator: torch.Generator | None = None

    def coins(self, shape: tuple[int, ...], chance: float, like: Tensor) -> Tensor:
        """Ones with probability `chance`, zeros elsewhere."""
        return torch.empty(shape, device=like.device).bernoulli_(chance, generator=self.generator)

    def uniform(self, shape: tuple[int, ...], low: float, high: float, like: Tensor) -> Tensor:
        """Numbers between `low` and `high`, in the type of `like`."""
        drawn = torch.empty(shape, device=like.device).uniform_(low, high, generator=self.generator)
        return drawn.to(like.dtype)


class DropPath(_Drawing):
    """In training, zeros a whole sample with probability `rate` and scales the others by
    1 / (1 - rate) (Huang et al. 2016, arXiv:1603.09382).
    """

    def __init__(self, rate: float = 0.5) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        keep = 1 - self.rate
        return x * self.coins(_an_image(x), keep, x).to(x.dtype) / keep

    def extra_repr(self) -> str:
        return f"rate={self.rate}"


class DropBlock(_Drawing):
    """In training, zeros blocks of `size` positions an axis, every channel for itself, and
    scales the rest by (positions) / (positions kept): (N, C, H, W) -> the same
    (Ghiasi et al. 2018, arXiv:1810.12890, algorithm 1).

    A block is dropped at each place where it fits with probability
    gamma = rate / size^2 * H W / ((H - size + 1) (W - size + 1)). On a map smaller than
    `size` a block is as large as the map. Papers raise `rate` from 0 while training goes on.
    """

    def __init__(self, rate: float = 0.1, size: int = 7) -> None:
        super().__init__()
        self.rate, self.size = rate, size

    def gamma(self, positions: tuple[int, ...]) -> float:
        """The probability that a block is dropped at a place, on a map of these sizes."""
        sizes = [min(self.size, n) for n in positions]
        places = prod([n - size + 1 for n, size in zip(positions, sizes, strict=True)])
        return min(1.0, self.rate / prod(sizes) * prod(positions) / places)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        positions = tuple(x.shape[2:])
        sizes = [min(self.size, n) for n in positions]
        places = [n - size + 1 for n, size in zip(positions, sizes, strict=True)]
        blocks = self.coins((*x.shape[:2], *places), self.gamma(positions), x)
        # a position is lost when a block starts at it or at one of the size - 1 before it
        blocks = F.pad(blocks, [n for size in reversed(sizes) for n in (size - 1, size - 1)])
        kept = 1 - _MAX_POOL[len(sizes) - 1](blocks, sizes, 1)
        return x * (kept * (kept.numel() / kept.sum().clamp(min=1))).to(x.dtype)

    def extra_repr(self) -> str:
        return f"rate={self.rate}, size={self.size}"


class ShakeDrop(_Drawing):
    """A branch times b + alpha - b alpha forwards and b + beta - b beta backwards; b is 0 with
    probability `rate`, alpha and beta are uniform, all drawn for every image (Yamada et al.
    2018, arXiv:1802.02375). In evaluation times the mean, 1 - rate + rate E[alpha].
    """

    def __init__(
        self,
        rate: float = 0.5,
        alpha: tuple[float, float] = (-1.0, 1.0),
        beta: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        super().__init__()
        self.rate, self.alpha, self.beta = rate, alpha, beta

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x * (1 - self.rate + self.rate * sum(self.alpha) / 2)
        shape = _an_image(x)
        keep = self.coins(shape, 1 - self.rate, x).to(x.dtype)
        ahead, back = (
            keep + (1 - keep) * self.uniform(shape, low, high, x)
            for low, high in (self.alpha, self.beta)
        )
        return straight_through(x * ahead, x * back)

    def extra_repr(self) -> str:
        return f"rate={self.rate}, alpha={self.alpha}, beta={self.beta}"


class Cutout(_Drawing):
    """In training, zeros one square of `size` positions an axis in every image, all channels
    alike: (N, C, H, W) -> the same (DeVries & Taylor 2017, arXiv:1708.04552).

    The centre is any position, so that the square may hang over the border. Zero should be
    the mean of the images; nothing is rescaled.
    """

    def __init__(self, size: int | tuple[int, ...] = 16) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        rank = x.dim() - 2
        sizes = self.size if isinstance(self.size, tuple) else (self.size,) * rank
        inside: Tensor | None = None
        for axis, size in enumerate(sizes):
            n = x.shape[axis + 2]
            first = torch.randint(n, (len(x), 1), device=x.device, generator=self.generator)
            offset = torch.arange(n, device=x.device) - (first - size // 2)
            cut = (offset >= 0) & (offset < size)
            cut = cut.view(-1, 1, *[n if i == axis else 1 for i in range(rank)])
            inside = cut if inside is None else inside & cut
        return x if inside is None else x.masked_fill(inside, 0)

    def extra_repr(self) -> str:
        return f"size={self.size}"


def smooth_labels(labels: Tensor, classes: int, eps: float = 0.1) -> Tensor:
    """Targets for cross-entropy: eps / K everywhere, 1 - eps + eps / K at the label.

    (N,) integers, or (N, ...) with one a position, -> (N, K, ...) probabilities
    (Szegedy et al. 2015, arXiv:1512.00567, section 7).

    >>> smooth_labels(torch.tensor([1]), 4, 0.2)
    tensor([[0.0500, 0.8500, 0.0500, 0.0500]])
    """
    return F.one_hot(labels, classes).movedim(-1, 1) * (1 - eps) + eps / classes
