"""Pools guided by super-pixels, by edges, and by every pixel's surroundings."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar

from netwright.core.check import is_choice, is_count, is_number
from netwright.core.cost import Cost, Kept
from netwright.core.field import Taps, Window
from netwright.core.operation import Kind
from netwright.core.shape import Axes, Shape, need_rank, show
from netwright.core.spec import Unit
from netwright.errors import ShapeError, SpecError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["EdgePyramidPool", "PixelPyramidPool", "SuperpixelPool"]


class SuperpixelPool(Unit):
    """The mean (or `mode="max"`) of a map over every super-pixel: (C, H, W) and its integer
    labels (H, W) -> (C, regions) (Kwak et al. 2017, "Weakly Supervised Semantic Segmentation
    Using Superpixel Pooling Network").

    Labels run from 0 to `regions` - 1; the value of one that nobody has is zero. One
    operation an input element.

    >>> SuperpixelPool(50).shape((64, 32, 32), (32, 32))
    (64, 50)
    """

    kind = Kind.POOLING
    joins: ClassVar[bool] = True
    sees_all: ClassVar[bool] = True

    regions: int
    mode: str = "mean"

    def check(self) -> None:
        is_count(self, "regions")
        is_choice(self, "mode", ("mean", "max"))

    def shape(self, *xs: Shape) -> Shape:
        need_rank("SuperpixelPool", xs[0], 2, 4)
        if len(xs) != 2 or xs[1] != xs[0][1:]:
            raise ShapeError(
                f"SuperpixelPool takes a map (C, H, W) and its labels (H, W), got {show(xs)}"
            )
        return (xs[0][0], self.regions)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=prod(xs[0]))

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(input=True, output=True, each=prod(y))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import SuperpixelPool as Layer

        return Layer(self.regions, self.mode)


class EdgePyramidPool(Unit):
    """Edge-aware pyramid pooling, the map beside means of its cells that leave edges out:
    (C, H, W) -> (C (1 + levels), H, W).

    Level s cuts a grid of s cells an axis (Zhao et al. 2017, arXiv:1612.01105) and spreads
    the mean of a cell over it; a position weighs exp(-g^2 / scale^2) in it, g^2 the squared
    steps to its neighbours, averaged over channels (Perona & Malik 1990). The name is used
    for several things; this is our definition. Two operations an element and axis for the
    edges, three an element and level.

    >>> EdgePyramidPool().shape((64, 28, 28))
    (320, 28, 28)
    """

    kind = Kind.POOLING
    sees_all: ClassVar[bool] = True

    levels: Axes = (1, 2, 3, 6)
    scale: float = 1.0

    def check(self) -> None:
        is_number(self, "scale", above=0)

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("EdgePyramidPool", x, 2, 4)
        return (x[0] * (1 + len(_each(self.levels))), *x[1:])

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        return Cost(ops=(2 * (len(x) - 1) + 3 * len(_each(self.levels))) * prod(x))

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        # steps along every axis, edges and weights, and for every level its cells, spread
        (x,) = xs
        positions, levels = prod(x[1:]), _each(self.levels)
        steps = sum([prod(x) // n * (n - 1) for n in x[1:]])
        cells = sum([level ** (len(x) - 1) * (1 + x[0]) for level in levels])
        spread = sum([prod(x) for level in levels if level > 1])
        return Kept(input=True, each=steps + 2 * positions + cells + spread)

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import EdgePyramidPool as Layer

        return Layer(_each(self.levels), self.scale)


class PixelPyramidPool(Unit):
    """Per-pixel pyramid pooling, the largest value (or `mode="mean"`) of windows of several
    odd sizes around every pixel: (C, H, W) -> (C len(windows), H, W) (Park & Lee 2016, "Look
    Wider to Match Image Patches With Convolutional Neural Networks").

    Windows are cut at the border and taken an axis at a time: k operations an element and
    axis for a window of k.

    >>> PixelPyramidPool((9, 3, 1)).shape((64, 28, 28))
    (192, 28, 28)
    """

    kind = Kind.POOLING

    windows: Axes = (27, 9, 3, 1)
    mode: str = "max"

    def check(self) -> None:
        is_choice(self, "mode", ("max", "mean"))
        if any(size % 2 == 0 for size in _each(self.windows)):
            raise SpecError(
                f"PixelPyramidPool: windows is {self.windows!r}, wanted odd sizes, which have "
                "a pixel in the middle"
            )

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("PixelPyramidPool", x, 2, 4)
        return (x[0] * len(_each(self.windows)), *x[1:])

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        return Cost(ops=sum(_each(self.windows)) * (len(x) - 1) * prod(x))

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        passes, windows = len(xs[0]) - 1, len(_each(self.windows))
        indices = passes * prod(y) if self.mode == "max" else 0
        between = (passes - 1) * windows * prod(xs[0])
        return Kept(input=True, each=between, indices=indices)

    def window(self, x: Shape) -> Window:
        largest = max(_each(self.windows))
        return tuple(Taps(((-(largest // 2), largest),)) for _ in x[1:])

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import PixelPyramidPool as Layer

        return Layer(_each(self.windows), self.mode)


def _each(sizes: Axes) -> tuple[int, ...]:
    """The sizes as a tuple; one number stands for one size."""
    return sizes if isinstance(sizes, tuple) else (sizes,)
