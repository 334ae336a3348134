"""Pooling over whole axes: the map, its rows, its channels, a pyramid of grids."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netwright.core.check import is_number
from netwright.core.cost import BOTH, NOTHING, Cost, Kept
from netwright.core.field import POINT, UNKNOWN, WHOLE, Taps, Window
from netwright.core.operation import Kind
from netwright.core.shape import Shape, need_rank
from netwright.core.spec import Unit
from netwright.errors import ShapeError
from netwright.units.pool import AdaptiveAvgPool

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "ChannelMean",
    "GeM",
    "GlobalMaxPool",
    "GlobalPool",
    "IntermapPool",
    "RowMaxPool",
    "SpatialPyramidPool",
]


class GlobalPool(Unit, abstract=True):
    """One value of every channel: (C, H, W) -> (C,), with `keep` (C, 1, 1). C H W operations."""

    kind = Kind.POOLING

    keep: bool = False

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank(type(self).__name__, x, 2, 4)
        return (x[0], *[1 for _ in x[1:]]) if self.keep else (x[0],)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=prod(xs[0]))

    def window(self, x: Shape) -> Window:
        return WHOLE


class GlobalMaxPool(GlobalPool):
    """The largest value of every channel: (C, H, W) -> (C,), with `keep` (C, 1, 1).

    C H W operations (Oquab et al. 2015).

    >>> GlobalMaxPool().shape((2048, 7, 7))
    (2048,)
    """

    keeps = BOTH

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import GlobalMaxPool as Layer

        return Layer(self.keep)


class GeM(GlobalPool):
    """y = (mean of max(x, eps)^p)^(1/p), the generalised mean of every channel: (C, H, W) ->
    (C,), with `keep` (C, 1, 1) (Radenovic et al. 2017, arXiv:1711.02512).

    1 is the mean, infinity the maximum. p is one parameter, or fixed without `learned`; 2 C
    H W operations, a power and a sum.

    >>> GeM().cost((2048, 7, 7), y=(2048,)).params
    1
    """

    p: float = 3.0
    learned: bool = True
    eps: float = 1e-6

    def check(self) -> None:
        super().check()
        is_number(self, "p", "eps", above=0)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(int(self.learned), 0, 2 * prod(xs[0]))

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        each = (2 if self.learned else 1) * prod(xs[0]) + (3 if self.learned else 2) * y[0]
        return Kept(input=True, each=each, once=2 if self.learned else 0)

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import GeM as Layer

        return Layer(self.p, self.learned, self.eps, self.keep)


class RowMaxPool(Unit):
    """The largest value of every row: (C, H, W) -> (C, H), with `keep` (C, H, 1).

    What is left does not change when the map turns in a circle along its rows (Shi et al.
    2015, DeepPano). C H W operations.

    >>> RowMaxPool().shape((64, 24, 96))
    (64, 24)
    """

    kind = Kind.POOLING
    keeps = BOTH

    keep: bool = False

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("RowMaxPool", x, 3, 4)
        return (*x[:-1], 1) if self.keep else x[:-1]

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=prod(xs[0]))

    def window(self, x: Shape) -> Window:
        if not self.keep:
            return WHOLE
        if not isinstance(x[-1], int):
            return UNKNOWN
        return (*[Taps() for _ in x[2:]], Taps(((0, x[-1]),), 1, x[-1]))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import RowMaxPool as Layer

        return Layer(self.keep)


class IntermapPool(Unit):
    """The largest value over `size` neighbouring maps: (C, H, W) -> (C / size, H, W).

    Filters of a group come to stand for one feature in several variants (Lee et al. 2016,
    arXiv:1606.03207). C H W operations.

    >>> IntermapPool(4).shape((64, 28, 28))
    (16, 28, 28)
    """

    kind = Kind.POOLING
    keeps = BOTH

    size: int = 2

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("IntermapPool", x, 2, 4)
        if isinstance(x[0], int) and x[0] % self.size:
            raise ShapeError(f"IntermapPool: groups of {self.size} do not divide {x[0]} maps")
        return (x[0] // self.size, *x[1:])

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=prod(xs[0]))

    def window(self, x: Shape) -> Window:
        return POINT

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Maxout as Layer

        return Layer(self.size)


class ChannelMean(Unit):
    """The mean over all maps: (C, H, W) -> (1, H, W). C H W operations.

    >>> ChannelMean().shape((64, 28, 28))
    (1, 28, 28)
    """

    kind = Kind.POOLING
    keeps = NOTHING

    def shape(self, *xs: Shape) -> Shape:
        need_rank("ChannelMean", xs[0], 2, 4)
        return (1, *xs[0][1:])

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=prod(xs[0]))

    def window(self, x: Shape) -> Window:
        return POINT

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import ChannelMean as Layer

        return Layer()


class SpatialPyramidPool(Unit):
    """Maxima over grids of `sizes` cells an axis, all in one vector: (C, H, W) ->
    (C sum size^2,), whatever H and W (He et al. 2014, arXiv:1406.4729).

    Cells are cut as by `AdaptiveAvgPool`; one operation an element of a cell.

    >>> SpatialPyramidPool().shape((256, 13, 13))
    (5376,)
    """

    kind = Kind.POOLING

    sizes: int | tuple[int, ...] = (4, 2, 1)

    def grids(self) -> tuple[int, ...]:
        """The cells an axis of every grid."""
        return self.sizes if isinstance(self.sizes, tuple) else (self.sizes,)

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("SpatialPyramidPool", x, 2, 4)
        return (x[0] * sum(size ** (len(x) - 1) for size in self.grids()),)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        grids = [AdaptiveAvgPool(size) for size in self.grids()]
        return Cost(ops=sum(grid.cost(*xs, y=grid.shape(*xs)).ops for grid in grids))

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(input=True, indices=prod(y))

    def window(self, x: Shape) -> Window:
        return WHOLE

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import SpatialPyramidPool as Layer

        return Layer(self.grids())
