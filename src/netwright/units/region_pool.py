"""Pooling of boxes in a map: RoI pooling and RoI align."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar

from netwright.core.check import is_count, is_number
from netwright.core.cost import Cost
from netwright.core.operation import Kind
from netwright.core.shape import Axes, Shape, per_axis, show
from netwright.core.spec import Unit
from netwright.errors import ShapeError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["RegionPool", "RoIAlign", "RoIPool"]


class RegionPool(Unit, abstract=True):
    """A grid of `size` cells over every box of a map: (C, H, W) and (R, 4) -> (R, C, h, w).

    Boxes are (x1, y1, x2, y2); `scale` leads from their coordinates to positions of the map,
    1/16 where it has one for every 16 pixels. Over the result, `TimeDistributed(head)` runs
    a head for every box.
    """

    kind = Kind.POOLING
    joins: ClassVar[bool] = True
    sees_all = True

    size: Axes = 7
    scale: float = 1.0

    def check(self) -> None:
        is_number(self, "scale", above=0)

    def shape(self, *xs: Shape) -> Shape:
        if len(xs) != 2 or len(xs[0]) != 3 or len(xs[1]) != 2 or xs[1][1] != 4:
            raise ShapeError(
                f"{type(self).__name__} takes a map (C, H, W) and boxes (R, 4), got {show(xs)}"
            )
        x, boxes = xs
        return (boxes[0], x[0], *per_axis(self.size, 2, "size"))


class RoIPool(RegionPool):
    """The largest value of every cell of a grid over every box, corners rounded to positions:
    (C, H, W) and (R, 4) -> (R, C, h, w) (Girshick 2015, arXiv:1504.08083).

    Boxes get no gradient; cells outside the map are zero. C H W operations a box, as if every
    box were the whole map.

    >>> RoIPool(7, 1 / 16).shape((512, 38, 50), (128, 4))
    (128, 512, 7, 7)
    """

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=xs[1][0] * prod(xs[0]))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import RoIPool as Layer

        height, width = per_axis(self.size, 2, "size")
        return Layer((height, width), self.scale)


class RoIAlign(RegionPool):
    """The mean of samples^2 bilinear samples in every cell of a grid over every box, nothing
    rounded: (C, H, W) and (R, 4) -> (R, C, h, w) (He et al. 2017, arXiv:1703.06870).

    Boxes get a gradient too. With `aligned` positions are centres of pixels, without it boxes
    lie half a position too far, as first published. 4 samples^2 operations an output element.

    >>> RoIAlign(14, 1 / 16).shape((256, 50, 50), (100, 4))
    (100, 256, 14, 14)
    """

    samples: int = 2
    aligned: bool = True

    def check(self) -> None:
        super().check()
        is_count(self, "samples")

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=4 * self.samples**2 * prod(y))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import RoIAlign as Layer

        height, width = per_axis(self.size, 2, "size")
        return Layer((height, width), self.scale, self.samples, self.aligned)
