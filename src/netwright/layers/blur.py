"""Blur before subsampling, and how much a pixel's shift changes what a function computes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import comb

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwright.layers.padding import pad

__all__ = ["BlurPool", "shift_agreement", "shift_similarity"]


class BlurPool(nn.Module):
    """A binomial filter of `size` taps an axis (1 2 1 for 3), then every `stride`-th position:
    (N, C, H, W) -> (N, C, ceil(H / s), ceil(W / s)) (Zhang 2019, arXiv:1904.11486).

    `border` is what `pad` takes; the paper's code reflects. `axes` is how many axes a map has.
    """

    kernel: Tensor

    def __init__(
        self, size: int = 3, stride: int = 2, border: str = "reflect", axes: int = 2
    ) -> None:
        super().__init__()
        self.size = size
        self.stride = stride
        self.border = border
        self.axes = axes
        row = torch.tensor([comb(size - 1, i) for i in range(size)]) / 2 ** (size - 1)
        kernel = torch.ones(())
        for _ in range(axes):
            kernel = kernel[..., None] * row
        self.register_buffer("kernel", kernel)

    def forward(self, x: Tensor) -> Tensor:
        axes = x.dim() - 2
        conv = (F.conv1d, F.conv2d, F.conv3d)[axes - 1]
        before = (self.size - 1) // 2
        x = pad(x, ((before, self.size - 1 - before),) * axes, self.border)
        weight = self.kernel.expand(x.shape[1], 1, *self.kernel.shape)
        return conv(x, weight, stride=self.stride, groups=x.shape[1])

    def extra_repr(self) -> str:
        return f"size={self.size}, stride={self.stride}, border={self.border!r}"


def shift_similarity(function: Callable[[Tensor], Tensor], x: Tensor, reach: int = 1) -> float:
    """How alike the features of an image and of its shifted self are: the cosine of
    function(x) and function(shifted x), averaged over images and shifts; 1 if shifts do not
    matter.

    `x` is shifted in a circle by up to `reach` positions along every axis after (N, C), all
    ways but staying. Any pool, block or net that takes (N, C, ...) can be compared (after
    Zhang 2019, arXiv:1904.11486, section 4).
    """
    with torch.no_grad():
        here = function(x).flatten(1)
        there = [function(moved).flatten(1) for moved in _shifted(x, reach)]
        return float(torch.stack([F.cosine_similarity(here, y) for y in there]).mean())


def shift_agreement(function: Callable[[Tensor], Tensor], x: Tensor, reach: int = 1) -> float:
    """The share of images and shifts for which the class, the largest of function(x) (N, K),
    stays the same: the consistency of Zhang 2019 (arXiv:1904.11486); shifts as in
    `shift_similarity`.
    """
    with torch.no_grad():
        here = function(x).argmax(1)
        there = [function(moved).argmax(1) for moved in _shifted(x, reach)]
        return float(torch.stack([here == y for y in there]).double().mean())


def _shifted(x: Tensor, reach: int) -> list[Tensor]:
    axes = tuple(range(2, x.dim()))
    ways = product(range(-reach, reach + 1), repeat=len(axes))
    return [x.roll(way, axes) for way in ways if any(way)]
