"""Dense units, and what leads up to them."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netwright.core.check import is_count
from netwright.core.cost import INPUT, VIEW, Cost
from netwright.core.field import POINT, WHOLE, Window
from netwright.core.operation import Kind
from netwright.core.shape import Shape, show
from netwright.core.spec import Unit
from netwright.errors import ShapeError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Flatten", "Linear", "Reshape"]


class Linear(Unit):
    """y = W x + b over the last axis: (F,) -> (width,), (T, F) -> (T, width).

    (F + 1) width parameters, F width MACs a position.

    width: features of the output
    bias: whether a learnt number is added to each of them

    >>> Linear(10).shape((512,))
    (10,)
    """

    kind = Kind.DENSE
    keeps = INPUT

    width: int
    bias: bool = True

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        if len(x) > 2:
            raise ShapeError(
                f"Linear takes (F,) or (T, F), got {show(x)}; flatten or pool it first"
            )
        return (*x[:-1], self.width)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        weights = x[-1] * self.width
        return Cost(weights + (self.width if self.bias else 0), weights * prod(x[:-1]))

    def window(self, x: Shape) -> Window:
        return WHOLE if len(x) == 1 else POINT

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return nn.Linear(xs[0][-1], self.width, self.bias)


class Flatten(Unit):
    """All elements in one row: (C, H, W) -> (C H W,).

    >>> Flatten().shape((256, 6, 6))
    (9216,)
    """

    kind = Kind.REARRANGEMENT
    keeps = VIEW

    def shape(self, *xs: Shape) -> Shape:
        return (prod(xs[0]),)

    def window(self, x: Shape) -> Window:
        return WHOLE if len(x) > 1 else POINT

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return nn.Flatten()


class Reshape(Unit):
    """The same elements in another shape, the last axis running fastest: any shape -> `to`.

    Raises `ShapeError` where `to` holds more or fewer elements.

    >>> Reshape((1, 2, 64)).shape((128,))
    (1, 2, 64)
    """

    kind = Kind.REARRANGEMENT
    keeps = VIEW

    to: tuple[int, ...]

    def check(self) -> None:
        is_count(self, "to")

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        if isinstance(prod(x), int) and prod(x) != prod(self.to):
            raise ShapeError(
                f"Reshape: {show(x)} has {prod(x)} elements, {show(self.to)} has {prod(self.to)}"
            )
        return self.to

    def window(self, x: Shape) -> Window:
        return WHOLE

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Reshape as Layer

        return Layer(self.to)
