"""Convolutions whose kernels depend on the position, or do not depend on the group."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netwright.core.check import is_count
from netwright.core.cost import Cost, Kept
from netwright.core.operation import Kind
from netwright.core.shape import Axes, Shape, least, per_axis
from netwright.units.conv import Conv
from netwright.units.window import Convolution, GroupedConvolution, padded

if TYPE_CHECKING:
    from torch import nn

__all__ = ["LocallyConnected", "TiedGroupedConv", "TiledConv"]


class LocallyConnected(Convolution):
    """A window with a kernel of its own at every position: (C, H, W) -> (width, H', W').

    For maps of one size only. (C prod(k) + 1) width H' W' parameters, and the MACs of the
    convolution with that window (Taigman et al. 2014, DeepFace).

    >>> LocallyConnected(16, 9, padding="valid").shape((16, 71, 71))
    (16, 63, 63)
    """

    kind = Kind.LOCAL

    bias: bool = True

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        weights = x[0] * prod(self.sliding(x).kernel) * prod(y)
        return Cost(weights + (prod(y) if self.bias else 0), weights)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        k, s, p, _, _ = self.sliding(xs[0])
        if prod(k) == 1 and prod(s) > 1:
            return None  # its windows may be a view of the padded map, or a copy
        if prod(k) == 1:
            return Kept(each=prod(padded(xs[0], p)))
        return Kept(each=xs[0][0] * prod(k) * prod(y[1:]))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import LocallyConnected as Layer

        (x,) = xs
        k, s, p, d, _ = self.sliding(x)
        return Layer(x[0], self.width, self.shape(x)[1:], k, s, p, d, self.bias)


class TiledConv(Convolution):
    """Kernel sets in turn: position (i, j) has set (i mod t, j mod t): (C, H, W) -> (width,
    H', W').

    t = 1 is a convolution; t as large as the output, `LocallyConnected` (Le et al. 2010,
    Tiled convolutional neural networks). `tiles` is t, one number or one an axis; an axis
    with fewer positions has as many sets as positions. (C prod(k) + 1) width parameters a
    set, and the MACs of the convolution with that window.

    >>> TiledConv(8, tiles=2).cost((3, 9, 9), y=(8, 9, 9)).params
    896
    """

    kind = Kind.LOCAL

    tiles: Axes = 2
    bias: bool = True

    def check(self) -> None:
        super().check()
        is_count(self, "tiles")

    def shape(self, *xs: Shape) -> Shape:
        y = super().shape(*xs)
        self.sets(y)  # says so where `tiles` has not an axis each
        return y

    def sets(self, y: Shape) -> tuple[int, ...]:
        """Kernel sets an axis, for an output of shape `y`."""
        tiles = per_axis(self.tiles, len(y) - 1, "tiles")
        return tuple(least(t, n) for t, n in zip(tiles, y[1:], strict=True))

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        weights = x[0] * prod(self.sliding(x).kernel) * self.width
        one = weights + (self.width if self.bias else 0)
        return Cost(one * prod(self.sets(y)), weights * prod(y[1:]))

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(each=prod(padded(xs[0], self.sliding(xs[0]).padding)))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import TiledConv as Layer

        (x,) = xs
        k, s, p, d, _ = self.sliding(x)
        return Layer(x[0], self.width, self.sets(self.shape(x)), k, s, p, d, self.bias)


class TiedGroupedConv(GroupedConvolution):
    """A grouped convolution whose groups share one kernel set: (C, H, W) -> (width, H', W').

    (C prod(k) / groups + 1) width / groups parameters, groups times fewer than a grouped
    convolution with the same MACs (Wang & Yu 2020, arXiv:2009.12021, tied block convolution).

    >>> TiedGroupedConv(64, groups=4, bias=False).cost((64, 8, 8), y=(64, 8, 8)).params
    2304
    """

    groups: int = 2

    def conv(self) -> Conv:
        """The convolution that runs over every group."""
        return Conv(
            self.width // self.groups, self.kernel, self.stride, self.padding, self.dilation,
            bias=self.bias,
        )  # fmt: skip

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        one = self.conv().cost(self._share(x), y=self._share(y))
        return one._replace(macs=one.macs * self.groups)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        one = self.conv().kept(self._share(xs[0]), y=self._share(y))
        return one._replace(each=one.each * self.groups) if one else None

    def _share(self, x: Shape) -> Shape:
        return (x[0] // self.groups, *x[1:])

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import TiedGroupedConv as Layer

        (x,) = xs
        return Layer(self.conv().module(self._share(x)), self.groups)
