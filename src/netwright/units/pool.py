"""Pooling: local windows, a fixed number of cells, and the whole map."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any

from netwright.core.check import is_padding
from netwright.core.cost import INPUT, NOTHING, Cost, Kept
from netwright.core.field import UNKNOWN, WHOLE, Window, resampling
from netwright.core.operation import Kind, Sliding
from netwright.core.shape import Axes, Padding, Shape, least, need_rank, per_axis, show, slid
from netwright.core.spec import Unit
from netwright.errors import ShapeError
from netwright.units.window import padded, sliding_window

if TYPE_CHECKING:
    from torch import nn

__all__ = ["AdaptiveAvgPool", "AvgPool", "GlobalAvgPool", "LocalPool", "MaxPool", "halfway"]


class LocalPool(Unit, abstract=True):
    """A window that slides over every channel: (C, H, W) -> (C, H', W').

    A stride of None is the kernel's. `ceil` rounds H' up: the last window may hang over.
    prod(k) operations an output element.
    """

    kind = Kind.POOLING

    kernel: Axes = 2
    stride: Axes | None = None
    padding: Padding = 0
    ceil: bool = False

    def check(self) -> None:
        is_padding(self)

    def sliding(self, x: Shape) -> Sliding:
        stride = self.kernel if self.stride is None else self.stride
        return sliding_window(len(x) - 1, self.kernel, stride, self.padding)

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank(type(self).__name__, x, 2, 4)
        k, s, p, d, _ = self.sliding(x)
        self.check_pads(k, p)
        axes = zip(x[1:], k, s, p, d, strict=True)
        return (x[0], *[slid(*axis, self.ceil) for axis in axes])

    def check_pads(self, kernel: tuple[int, ...], pads: tuple[tuple[int, int], ...]) -> None:
        """Raise `ShapeError` for padding that PyTorch's pools do not have."""
        for (before, after), n in zip(pads, kernel, strict=True):
            if before != after or before > n // 2:
                raise ShapeError(
                    f"{type(self).__name__} pads both sides alike, at most half its kernel; "
                    f"got padding {pads} for kernel {kernel}"
                )

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=prod(self.sliding(xs[0])[0]) * prod(y))

    def window(self, x: Shape) -> Window:
        return self.sliding(x).taps

    def widened(self, x: Shape, y: Shape) -> Any:
        """Elements of the map with the padding its windows reach, 0 where they reach none."""
        k, s, p, _, _ = self.sliding(x)
        pads = [
            (before, max(0, (m - 1) * hop + size - n - before))
            for n, m, size, hop, (before, _) in zip(x[1:], y[1:], k, s, p, strict=True)
        ]
        return prod(padded(x, tuple(pads))) if any(map(any, pads)) else 0

    def layer(self, rank: int) -> Any:
        """The `torch.nn` class for that many axes."""
        from torch import nn

        return getattr(nn, f"{type(self).__name__}{rank}d")

    def module(self, *xs: Shape) -> nn.Module:
        k, s, p, _, _ = self.sliding(xs[0])
        return self.layer(len(k))(k, s, tuple(before for before, _ in p), ceil_mode=self.ceil)


def halfway(x: Shape, y: Shape, kernel: tuple[int, ...]) -> Any:
    """Elements of a volume smaller than a window that was pooled over time and not yet over
    height and width: PyTorch pools such ones in no other way. 0 for other maps.
    """
    small = len(x) == 4 and any(n < k for n, k in zip(x[1:], kernel, strict=True))
    return x[0] * y[1] * prod(x[2:]) if small else 0


class MaxPool(LocalPool):
    """The largest value of every window; padding never wins.

    kernel: positions of a window; one number, or one an axis
    stride: positions from one window to the next; None: the kernel
    padding: positions added around the map, at most half the kernel
    ceil: whether a last window may reach over the end

    >>> MaxPool(3, stride=2).shape((64, 55, 55))
    (64, 27, 27)
    """

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(input=True, indices=prod(y))


class AvgPool(LocalPool):
    """The mean of every window: (C, H, W) -> (C, H', W').

    Padding that is counted may differ from side to side. Volumes have to be as large as the
    window, as PyTorch's.

    kernel: positions of a window; one number, or one an axis
    stride: positions from one window to the next; None: the kernel
    padding: positions added around the map, at most half the kernel
    ceil: whether a last window may reach over the end
    count_padding: whether zeros of the padding count as values

    >>> AvgPool(2).shape((64, 56, 56))
    (64, 28, 28)
    """

    kind = Kind.AVERAGING

    count_padding: bool = True

    def shape(self, *xs: Shape) -> Shape:
        y = super().shape(*xs)
        (x,) = xs
        kernel, _, pads, _, _ = self.sliding(x)
        small = any(isinstance(n, int) and n < k for n, k in zip(x[1:], kernel, strict=True))
        if len(x) == 4 and small and not self._uneven(pads):
            raise ShapeError(f"AvgPool takes volumes as large as its window, {show(kernel)}, as "
                             f"PyTorch's; got {show(x)}")  # fmt: skip
        return y

    def check_pads(self, kernel: tuple[int, ...], pads: tuple[tuple[int, int], ...]) -> None:
        if not self._uneven(pads):
            super().check_pads(kernel, pads)

    def _before(self, x: Shape) -> tuple[tuple[int, int], ...]:
        """Zeros that uneven padding puts around the map: none of `ceil` where only a window of
        zeros would see them.
        """
        k, s, pads, _, _ = self.sliding(x)
        if not self.ceil:
            return pads
        axes = zip(x[1:], self.shape(x)[1:], k, s, pads, strict=True)
        return tuple([
            (before, least(after, max(0, (m - 1) * step + size - n - before)))
            for n, m, size, step, (before, after) in axes
        ])  # fmt: skip

    def _uneven(self, pads: tuple[tuple[int, int], ...]) -> bool:
        return self.count_padding and any(before != after for before, after in pads)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        (x,) = xs
        if not self._uneven(self.sliding(x).padding):
            return INPUT
        sides = zip(x[1:], self._before(x), strict=True)
        padded = [n + before + after for n, (before, after) in sides]
        return Kept(each=x[0] * prod(padded))

    def module(self, *xs: Shape) -> nn.Module:
        k, s, p, _, _ = self.sliding(xs[0])
        if not self._uneven(p):
            return super().module(*xs)
        p = self._before(xs[0])
        from torch import nn

        pad: Any = (nn.ConstantPad1d, nn.ConstantPad2d, nn.ConstantPad3d)[len(k) - 1]
        sides = tuple([side for pair in reversed(p) for side in pair])
        return nn.Sequential(pad(sides, 0.0), self.layer(len(k))(k, s, ceil_mode=self.ceil))

    def layer(self, rank: int) -> Any:
        return partial(super().layer(rank), count_include_pad=self.count_padding)


class AdaptiveAvgPool(Unit):
    """Means over a grid of `size` cells an axis: (C, H, W) -> (C, size, size).

    Cell i covers floor(i H / size) to ceil((i+1) H / size), as PyTorch cuts them.

    size: cells; one number, or one an axis

    >>> AdaptiveAvgPool(7).shape((512, 9, 9))
    (512, 7, 7)
    """

    kind = Kind.AVERAGING

    size: Axes = 1

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("AdaptiveAvgPool", x, 2, 4)
        return (x[0], *per_axis(self.size, len(x) - 1, "size"))

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        return Cost(ops=x[0] * prod(_seen(n, m) for n, m in zip(x[1:], y[1:], strict=True)))

    def window(self, x: Shape) -> Window:
        sizes = per_axis(self.size, len(x) - 1, "size")
        if all(size == 1 for size in sizes):
            return WHOLE
        if not all(isinstance(n, int) for n in (*x[1:], *sizes)):
            return UNKNOWN
        return tuple(resampling(n, m) for n, m in zip(x[1:], sizes, strict=True))

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return NOTHING if set(y[1:]) == {1} else INPUT  # one cell is a mean

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        rank = len(xs[0]) - 1
        kind = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)[rank - 1]
        sizes = per_axis(self.size, rank, "size")
        return kind(sizes[0] if rank == 1 else sizes)


def _seen(n: Any, cells: int) -> Any:
    """Positions of `n` that the cells of an axis see, those that two cells share twice."""
    if not isinstance(cells, int):
        raise ShapeError(f"AdaptiveAvgPool: size {cells} is a symbol; cells are counted one by "
                         "one, give a number")  # fmt: skip
    return sum(-(-(i + 1) * n // cells) - i * n // cells for i in range(cells))


class GlobalAvgPool(Unit):
    """The mean of every channel: (C, H, W) -> (C,), with `keep` (C, 1, 1).

    C H W operations (Lin et al. 2013, arXiv:1312.4400, section 3.2).

    keep: whether the axes stay, with one position each

    >>> GlobalAvgPool().shape((2048, 7, 7))
    (2048,)
    """

    kind = Kind.AVERAGING
    keeps = NOTHING

    keep: bool = False

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("GlobalAvgPool", x, 2, 4)
        return (x[0], *[1 for _ in x[1:]]) if self.keep else (x[0],)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=prod(xs[0]))

    def window(self, x: Shape) -> Window:
        return WHOLE

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import GlobalAvgPool as Layer

        return Layer(self.keep)
