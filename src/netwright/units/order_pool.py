"""Local pooling by rank: minimum, median, mean of the largest, weights by rank."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any

from netwright.core.check import is_count
from netwright.core.cost import Cost, Kept
from netwright.core.shape import Shape
from netwright.errors import ShapeError
from netwright.units.pool import LocalPool

if TYPE_CHECKING:
    from torch import nn

__all__ = ["MedianPool", "MinPool", "OrdinalPool", "RankAvgPool", "SortingPool"]


class MinPool(LocalPool):
    """The smallest value of every window, -max(-x): (C, H, W) -> (C, H', W'); padding never
    wins.

    >>> MinPool(3, stride=2).shape((64, 55, 55))
    (64, 27, 27)
    """

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(each=prod(xs[0]), indices=prod(y))  # of the map turned round

    def layer(self, rank: int) -> Any:
        from netwright.layers import MinPool as Layer

        return Layer


class SortingPool(LocalPool, abstract=True):
    """A pool that reads its windows sorted, zeros of the padding among them.

    n log2 n operations an output element for windows of n, at least n.
    """

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        n = prod(self.sliding(xs[0])[0])
        return Cost(ops=n * max(1, (n - 1).bit_length()) * prod(y))


class MedianPool(SortingPool):
    """The median of every window, the mean of the two in the middle where their number is
    even: (C, H, W) -> (C, H', W'); zeros of the padding are counted.

    n ceil(log2 n) operations an output element for windows of n.

    >>> MedianPool(3, padding=1).shape((64, 56, 56))
    (64, 19, 19)
    """

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        n = prod(self.sliding(xs[0])[0])
        return Kept(flags=(1 if n % 2 else 2) * prod(y))  # places in the windows

    def layer(self, rank: int) -> Any:
        from netwright.layers import MedianPool as Layer

        return Layer


class RankAvgPool(SortingPool):
    """The mean of the `top` largest values of every window, zeros of the padding counted:
    (C, H, W) -> (C, H', W'); rank-based average pooling (Shi et al. 2016).

    From max pooling (1) to average pooling (all). n ceil(log2 n) operations an output
    element for windows of n.

    >>> RankAvgPool(3, stride=2, top=4).shape((64, 55, 55))
    (64, 27, 27)
    """

    top: int = 2

    def check(self) -> None:
        super().check()
        is_count(self, "top")

    def shape(self, *xs: Shape) -> Shape:
        y = super().shape(*xs)
        n = prod(self.sliding(xs[0])[0])
        if self.top > n:
            raise ShapeError(f"RankAvgPool cannot average the top {self.top} of windows of {n}")
        return y

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(flags=self.top * prod(y))

    def layer(self, rank: int) -> Any:
        from netwright.layers import RankAvgPool as Layer

        return partial(Layer, top=self.top)


class OrdinalPool(SortingPool):
    """y = sum_r w_r x_(r) over the window sorted upwards: (C, H, W) -> (C, H', W'), weights
    learnt for every channel and rank (Kumar 2018, arXiv:1804.02702).

    C n parameters for windows of n, whose softmax are the weights: positive, one in all, and
    equal at first. Zeros of the padding are counted. n ceil(log2 n) operations an output
    element.

    >>> OrdinalPool(2).shape((64, 56, 56))
    (64, 28, 28)
    """

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        n = prod(self.sliding(xs[0])[0])
        return super().cost(*xs, y=y)._replace(params=xs[0][0] * n)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        n = prod(self.sliding(xs[0])[0])
        return Kept(each=n * prod(y), flags=n * prod(y), once=xs[0][0] * n)

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import OrdinalPool as Layer

        k, s, p, _, _ = self.sliding(xs[0])
        return Layer(xs[0][0], k, s, tuple(before for before, _ in p), self.ceil)
