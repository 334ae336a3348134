"""Pools that keep the low frequencies of a map."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

from netwright.core.check import is_choice
from netwright.core.cost import VIEW, Cost, Kept
from netwright.core.field import UNKNOWN, Taps, Window, resampling
from netwright.core.operation import Kind
from netwright.core.shape import Axes, Shape, need_rank, per_axis, show
from netwright.core.spec import Unit
from netwright.errors import ShapeError
from netwright.units.pool import halfway

if TYPE_CHECKING:
    from torch import nn

__all__ = ["SpectralPool", "WaveletPool"]


class SpectralPool(Unit):
    """Transform, the `size` lowest frequencies an axis, transform back: (C, H, W) -> (C, size,
    size), at the same mean, `size` one number or one an axis (Rippel et al. 2015,
    arXiv:1506.03767).

    `basis` is the discrete Fourier (`dft`) or cosine (`dct`) transform. An axis is one
    product with a (size, H) matrix: H W size MACs a channel for the first, and so on; an axis
    that keeps its size is free. Every output depends on the whole map, mostly on its cell.
    Raises `ShapeError` where the map is smaller than `size`.

    >>> SpectralPool(28).shape((64, 56, 56))
    (64, 28, 28)
    """

    kind = Kind.POOLING
    sees_all = True

    size: Axes
    basis: str = "dft"

    def check(self) -> None:
        is_choice(self, "basis", ("dft", "dct"))

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("SpectralPool", x, 2, 4)
        sizes = per_axis(self.size, len(x) - 1, "size")
        for n, m in zip(x[1:], sizes, strict=True):
            if isinstance(n, int) and isinstance(m, int) and m > n:
                raise ShapeError(
                    f"SpectralPool keeps {m} frequencies, an axis of {show(x)} has {n}; "
                    "use a smaller size or a larger map"
                )
        return (x[0], *sizes)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        sizes = list(xs[0])
        macs = 0
        for axis, m in enumerate(y[1:], 1):
            if m != sizes[axis]:
                macs += prod(sizes) * m
                sizes[axis] = m
        return Cost(macs=macs)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        axes = [(n, m) for n, m in zip(xs[0][1:], y[1:], strict=True) if n != m]
        return Kept(once=sum([n * m for n, m in axes])) if axes else VIEW

    def window(self, x: Shape) -> Window:
        sizes = per_axis(self.size, len(x) - 1, "size")
        if not all(isinstance(n, int) for n in (*x[1:], *sizes)):
            return UNKNOWN
        return tuple(resampling(n, m) for n, m in zip(x[1:], sizes, strict=True))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import SpectralPool as Layer

        return Layer(per_axis(self.size, len(xs[0]) - 1, "size"), self.basis)


class WaveletPool(Unit):
    """The low band of an orthonormal Haar transform: (C, H, W) -> (C, ceil(H / 2^levels), ...).

    A level sums 2^axes neighbours and divides by 2^(axes / 2); an odd end is paired with
    itself. Wavelet pooling (Williams & Li 2018) drops the details of the levels likewise.
    2^axes operations an output element of every level.

    >>> WaveletPool(2).shape((64, 55, 56))
    (64, 14, 14)
    """

    kind = Kind.POOLING

    levels: int = 1

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("WaveletPool", x, 2, 4)
        return (x[0], *[-(-n // 2**self.levels) for n in x[1:]])

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        ops = sum(
            2 ** (len(x) - 1) * x[0] * prod(-(-n // 2**level) for n in x[1:])
            for level in range(1, self.levels + 1)
        )
        return Cost(ops=ops)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        (x,) = xs
        maps = [(x[0], *[-(-n // 2**level) for n in x[1:]]) for level in range(self.levels)]
        halves = [halfway(*pair, (2,) * (len(x) - 1)) for pair in pairwise([*maps, y])]
        return Kept(input=True, each=sum(map(prod, maps[1:])) + sum(halves))

    def window(self, x: Shape) -> Window:
        reach = 2**self.levels
        return tuple(Taps(((0, reach),), 1, reach) for _ in x[1:])

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import WaveletPool as Layer

        return Layer(self.levels)
