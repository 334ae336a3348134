"""Pools that read the sorted window: minimum, median, mean of the largest, weights by rank."""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwright.layers.windows import Sizes, WindowPool, Windows

__all__ = ["MedianPool", "MinPool", "OrdinalPool", "RankAvgPool", "exchanges"]

Exchange: TypeAlias = tuple[int, int, bool, bool]
"""Two wires, and whether the smaller value (on the first) and the larger are needed."""


def exchanges(count: int, ranks: tuple[int, ...]) -> tuple[Exchange, ...]:
    """The comparisons that bring the values of these `ranks`, 0 the smallest, to the wires of
    their number: Batcher's merge exchange sort of `count` wires (Knuth, vol. 3, 5.2.2,
    algorithm M), less what the other ranks alone would need.

    >>> exchanges(3, (1,))
    ((0, 2, True, True), (0, 1, False, True), (1, 2, True, False))
    """
    needed = set(ranks)
    kept: list[Exchange] = []
    for low, high in reversed(_merge_exchange(count)):
        if low in needed or high in needed:
            kept.append((low, high, low in needed, high in needed))
            needed |= {low, high}
    return tuple(reversed(kept))


def _merge_exchange(count: int) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    top = 1 << max(count - 1, 0).bit_length() >> 1
    p = top
    while p:
        q, r, d = top, 0, p
        while True:
            pairs += [(i, i + d) for i in range(count - d) if i & p == r]
            if q == p:
                break
            q, r, d = q // 2, p, q - p
        p //= 2
    return pairs


class _Ranked(torch.autograd.Function):
    """The values of some ranks of every window, one map a rank; `x` is padded already.

    Minima and maxima of whole maps are an order of magnitude faster than sorting many small
    windows. How far into the window it stood travels with a value, so the gradient of a rank
    goes to the one position that holds it, also among equals.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, windows: Windows, ranks: tuple[int, ...], steps: tuple[Exchange, ...]
    ) -> tuple[Tensor, ...]:
        values = [tap.clone(memory_format=torch.contiguous_format) for tap in windows.taps(x)]
        offsets = windows.offsets()
        kind = torch.uint8 if offsets[-1] < 256 else torch.int32
        holders = [torch.full_like(values[0], offset, dtype=kind) for offset in offsets]
        spare = torch.empty_like(values[0])
        for low, high, small, large in steps:
            a, b = values[low], values[high]
            if ctx.needs_input_grad[0]:
                # Where a > b the holders change places: x ^= d, y ^= d with d = x ^ y.
                change = (holders[low] ^ holders[high]).mul_(a > b)
                if small:
                    holders[low] ^= change
                if large:
                    holders[high] ^= change
            if small and large:
                values[low], spare = torch.minimum(a, b, out=spare), a
                torch.maximum(a, b, out=b)
            elif small:
                torch.minimum(a, b, out=a)
            else:
                torch.maximum(a, b, out=b)
        ctx.save_for_backward(*[holders[rank] for rank in ranks])
        ctx.shape, ctx.windows = x.shape, windows
        return tuple(values[rank] for rank in ranks)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        windows, into = ctx.windows, grads[0].new_zeros(ctx.shape).flatten(2)
        corners = windows.corners(into.device)
        for holder, grad in zip(ctx.saved_tensors, grads, strict=True):
            at = holder.long().add_(corners)
            into = into.scatter_add_(2, at.flatten(2), grad.flatten(2))
        return into.view(ctx.shape), None, None, None


class _OrderPool(WindowPool):
    """A pool that reads some ranks of its sorted windows; padding counts as zeros."""

    def ranked(self, x: Tensor, ranks: tuple[int, ...]) -> tuple[Tensor, ...]:
        """The values of these ranks, one map a rank."""
        windows = self.windows(x)
        steps = exchanges(prod(windows.kernel), ranks)
        x = windows.padded(x)
        return _Ranked.apply(x, windows.over(x), ranks, steps)  # type: ignore[return-value]


class MinPool(WindowPool):
    """The smallest value of every window: -maxpool(-x); padding never wins."""

    def forward(self, x: Tensor) -> Tensor:
        pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[x.dim() - 3]
        return -pool(
            -x, self.kernel_size, self.stride, self.padding, ceil_mode=self.ceil_mode
        )  # fmt: skip


class MedianPool(_OrderPool):
    """The median of every window, the mean of the two middle values where their number is
    even; zeros of the padding are counted.
    """

    def forward(self, x: Tensor) -> Tensor:
        count = prod(self.windows(x).kernel)
        if count % 2:
            return self.ranked(x, (count // 2,))[0]
        low, high = self.ranked(x, (count // 2 - 1, count // 2))
        return (low + high) / 2


class RankAvgPool(_OrderPool):
    """The mean of the `top` largest values of every window: rank-based average pooling
    (Shi et al. 2016). 1 is max pooling but for the zeros of the padding, all of them average.
    """

    def __init__(
        self,
        kernel_size: Sizes = 2,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        top: int = 2,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.top = top

    def forward(self, x: Tensor) -> Tensor:
        count = prod(self.windows(x).kernel)
        return reduce(torch.add, self.ranked(x, tuple(range(count - self.top, count)))) / self.top

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, top={self.top}"


class OrdinalPool(_OrderPool):
    """y = sum_r w_r x_(r) over the window sorted upwards, weights learnt a channel and rank
    (Kumar 2018, arXiv:1804.02702).

    `scores`, of shape (channels, window), become weights by a softmax: they are positive, add
    up to one, and start as average pooling. `kernel_size` has a number an axis.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: tuple[int, ...],
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.channels = channels
        self.scores = nn.Parameter(torch.zeros(channels, prod(kernel_size)))

    def forward(self, x: Tensor) -> Tensor:
        count = self.scores.shape[1]
        weights = self.scores.softmax(1).reshape(-1, count, *[1] * (x.dim() - 2)).unbind(1)
        values = self.ranked(x, tuple(range(count)))
        return reduce(torch.add, [w * v for w, v in zip(weights, values, strict=True)])
