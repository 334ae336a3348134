"""Windows that slide over the positions of a map, for pooling in one, two or three axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import product
from math import prod
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Sizes", "WindowPool", "Windows", "flat_index", "mean_pool"]

Sizes: TypeAlias = int | tuple[int, ...]
"""One number for every axis, or one an axis."""


class Windows(NamedTuple):
    """A window an axis over a map of `sizes` positions: `counts` windows of `kernel` taps,
    `stride` apart, the first of them `pad` before the map.
    """

    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    counts: tuple[int, ...]

    def padded(self, x: Tensor) -> Tensor:
        """`x` with zeros around it, as many as the windows reach over."""
        pads: list[int] = []
        for n, k, s, p, m in reversed(self._axes()):
            pads += [p, max(0, (m - 1) * s + k - n - p)]
        return F.pad(x, pads) if any(pads) else x

    def over(self, padded: Tensor) -> Windows:
        """The same windows, counted on the padded map."""
        return self._replace(sizes=tuple(padded.shape[2:]), pad=(0,) * len(self.pad))

    def _axes(self) -> list[tuple[int, ...]]:
        return list(zip(*self, strict=True))

    def taps(self, x: Tensor) -> Iterator[Tensor]:
        """Views of a padded map, one a tap: what every window has at that place."""
        for at in product(*map(range, self.kernel)):
            axes = zip(at, self.stride, self.counts, strict=True)
            yield x[(..., *[slice(i, i + s * (m - 1) + 1, s) for i, s, m in axes])]

    def corners(self, device: torch.device) -> Tensor:
        """Index of every window's first position in the flattened map, of shape `counts`."""
        axes = zip(self.counts, self.stride, self.pad, strict=True)
        return flat_index(self.sizes, [torch.arange(m, device=device) * s - p for m, s, p in axes])

    def offsets(self) -> list[int]:
        """From a window's first position to each of its taps, in the flattened map."""
        hops = [prod(self.sizes[axis + 1 :]) for axis in range(len(self.sizes))]
        places = product(*map(range, self.kernel))
        return [sum(i * hop for i, hop in zip(at, hops, strict=True)) for at in places]


def flat_index(sizes: Sequence[int], places: Sequence[Tensor]) -> Tensor:
    """Index, in a flattened map of `sizes`, of all pairs (triples) of places an axis."""
    index = torch.zeros((), dtype=torch.int64, device=places[0].device)
    for n, place in zip(sizes, places, strict=True):
        index = index[..., None] * n + place
    return index


def mean_pool(
    x: Tensor, kernel: Sizes, stride: Sizes, padding: Sizes = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """Average pooling of (N, C, L), (N, C, H, W) or (N, C, T, H, W), as `nn.AvgPool2d`.

    PyTorch's refuses volumes smaller than a window, padded or not. Those are pooled over time
    and then over height and width: a mean of means, as what a window counts is a product.
    """
    rank = x.dim() - 2
    k, s, p = (v if isinstance(v, tuple) else (v,) * rank for v in (kernel, stride, padding))
    ceil, count = ceil_mode, count_include_pad
    if rank < 3 or all(n >= size for n, size in zip(x.shape[2:], k, strict=True)):
        return (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[rank - 1](x, k, s, p, ceil, count)
    times = F.avg_pool2d(x.flatten(3), (k[0], 1), (s[0], 1), (p[0], 0), ceil, count)
    x = times.unflatten(3, x.shape[3:])
    maps = F.avg_pool2d(x.flatten(1, 2), k[1:], s[1:], p[1:], ceil, count)
    return maps.unflatten(1, x.shape[1:3])


class WindowPool(nn.Module):
    """A pool whose windows are those of `nn.MaxPool2d`: (N, C, L), (N, C, H, W) or
    (N, C, T, H, W), by the rank of its input.
    """

    def __init__(
        self,
        kernel_size: Sizes = 2,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode

    def windows(self, x: Tensor) -> Windows:
        """The windows over `x`."""
        sizes = tuple(x.shape[2:])
        kernel, stride, pad = (
            (value,) * len(sizes) if isinstance(value, int) else value
            for value in (self.kernel_size, self.stride, self.padding)
        )
        axes = zip(sizes, kernel, stride, pad, strict=True)
        return Windows(sizes, kernel, stride, pad, tuple(self._count(*axis) for axis in axes))

    def _count(self, n: int, k: int, s: int, p: int) -> int:
        room = n + 2 * p - k
        if not self.ceil_mode:
            return room // s + 1
        count = -(-room // s) + 1
        return count - 1 if (count - 1) * s >= n + p else count  # starts inside, as PyTorch's

    def mean(self, x: Tensor) -> Tensor:
        """The mean of every window, zeros of the padding counted."""
        return mean_pool(x, self.kernel_size, self.stride, self.padding, self.ceil_mode)

    def slide(self, x: Tensor, kernel: Tensor) -> Tensor:
        """The product of `kernel`, flat, with every window; padding counts as zeros."""
        windows = self.windows(x)
        conv = (F.conv1d, F.conv2d, F.conv3d)[x.dim() - 3]
        channels = x.shape[1]
        weight = kernel.to(x.dtype).reshape(1, 1, *windows.kernel)
        weight = weight.expand(channels, *[-1] * (x.dim() - 1))
        return conv(windows.padded(x), weight, stride=self.stride, groups=channels)

    def total(self, x: Tensor) -> Tensor:
        """The sum of every window, in the precision of `x` under autocast too."""
        windows = self.windows(x)
        if x.dim() == 5:
            return F.avg_pool3d(windows.padded(x), windows.kernel, windows.stride,
                                divisor_override=1)  # fmt: skip
        with nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False):
            # On processors a product with ones is three times as fast as average pooling.
            return self.slide(x, x.new_ones(prod(windows.kernel)))

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"ceil_mode={self.ceil_mode}"
        )
