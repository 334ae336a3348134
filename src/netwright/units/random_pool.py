"""Pools that draw what they keep while they are trained."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from netwright.core.check import is_choice, is_count, is_fraction
from netwright.core.cost import Cost, Kept
from netwright.core.field import UNKNOWN, Taps, Window
from netwright.core.operation import Kind
from netwright.core.shape import Axes, Shape, need_rank, per_axis, show
from netwright.core.spec import Unit
from netwright.errors import ShapeError
from netwright.units.pool import LocalPool

if TYPE_CHECKING:
    from torch import nn

__all__ = ["FractionalMaxPool", "StochasticPool", "TournamentPool"]


class StochasticPool(LocalPool):
    """One activation of every window, drawn in proportion to itself, p_i = a_i / sum_j a_j,
    in training; sum_i p_i a_i in evaluation: (C, H, W) -> (C, H', W') (Zeiler & Fergus 2013,
    arXiv:1301.3557).

    Made for activations that are not negative; of a window without a positive one all
    positions are equally likely. Padding is never drawn.

    >>> StochasticPool(3, stride=2).shape((64, 55, 55))
    (64, 27, 27)
    """

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(input=True, indices=prod(y))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import StochasticPool as Layer

        k, s, p, _, _ = self.sliding(xs[0])
        return Layer(k, s, tuple(before for before, _ in p), self.ceil)


class TournamentPool(LocalPool):
    """The largest of `entrants` positions drawn from every window, with replacement, in
    training; its expected value in evaluation: (C, H, W) -> (C, H', W').

    Of K positions sorted upwards, the r-th wins among n with probability
    (r^n - (r-1)^n) / K^n: one entrant averages, many take the maximum. Zeros of the padding
    may be drawn. The rule is the tournament selection of genetic algorithms (Goldberg &
    Deb 1991).
    """

    entrants: int = 2

    def check(self) -> None:
        super().check()
        is_count(self, "entrants")

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        wide = self.widened(xs[0], y)
        return Kept(input=not wide, each=wide, indices=prod(y))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import TournamentPool as Layer

        k, s, p, _, _ = self.sliding(xs[0])
        return Layer(k, s, tuple(before for before, _ in p), self.ceil, self.entrants)


class FractionalMaxPool(Unit):
    """The largest value of int(ratio H) windows, placed anew at every step of training:
    (C, H, W) -> (C, int(ratio H), int(ratio W)) (Graham 2014, arXiv:1412.6071).

    Windows of `kernel` start at floor((i + u) d) - floor(u d), d = (H - k) / (H' - 1), with
    u drawn from [0, 1) for `regions="pseudo"` (`nn.FractionalMaxPool2d` draws it for every
    map, here the whole batch shares it); with "random" the steps floor(d) and ceil(d) come
    in random order. In evaluation, and in the receptive field, u is 1/2. prod(k) operations
    an output element.

    >>> FractionalMaxPool(ratio=0.7).shape((64, 25, 25))
    (64, 17, 17)
    """

    kind = Kind.POOLING

    kernel: Axes = 2
    ratio: float = 0.7
    regions: str = "pseudo"

    def check(self) -> None:
        is_fraction(self, "ratio")
        is_choice(self, "regions", ("pseudo", "random"))

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("FractionalMaxPool", x, 2, 4)
        whole = all(isinstance(n, int) for n in x[1:])
        y = tuple(_scaled(n, self.ratio) for n in x[1:])
        for n, m, k in zip(x[1:], y, per_axis(self.kernel, len(x) - 1), strict=True):
            if whole and (m < 1 or m + k - 1 > n):
                raise ShapeError(
                    f"FractionalMaxPool: {m} windows of {k} do not fit an axis of {n} in "
                    f"{show(x)} at ratio {self.ratio}; use a larger map or a smaller kernel"
                )
        return (x[0], *y)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=prod(per_axis(self.kernel, len(y) - 1)) * prod(y))

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(input=True, indices=prod(y))

    def window(self, x: Shape) -> Window:
        kernel = per_axis(self.kernel, len(x) - 1)
        if not all(isinstance(n, int) for n in x[1:]):
            return UNKNOWN
        return tuple(_spaced(n, m, k)
                     for n, m, k in zip(x[1:], self.shape(x)[1:], kernel, strict=True))  # fmt: skip

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import FractionalMaxPool as Layer

        return Layer(per_axis(self.kernel, len(xs[0]) - 1), self.ratio, self.regions)


def _scaled(n: Any, ratio: float) -> Any:
    """floor(ratio n), of a number or a symbol."""
    return int(n * ratio) if isinstance(n, int) else n * ratio // 1


def _spaced(n: int, count: int, k: int) -> Taps:
    """Windows whose starts are floor((i + 1/2) room / steps), less the first."""
    room, steps = n - k, count - 1
    if steps == 0:
        return Taps(((room, k),), 1, 1)
    at = [(2 * i + 1) * room // (2 * steps) for i in range(steps)]
    return Taps(tuple((start - at[0], k) for start in at), 1, room)
