"""Units that make one value of several."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar

from netwright.core.cost import INPUT, NOTHING, Cost
from netwright.core.operation import Kind
from netwright.core.shape import Shape, show
from netwright.core.spec import Unit
from netwright.errors import ShapeError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Add", "Cat", "Join", "Mul"]


class Join(Unit, abstract=True):
    """A unit that makes one value of several of like shape."""

    kind = Kind.ELEMENTWISE
    joins: ClassVar[bool] = True

    def shape(self, *xs: Shape) -> Shape:
        """The common shape; a size of 1 stretches."""
        rank = max(len(x) for x in xs)
        padded = [x + (1,) * (rank - len(x)) for x in xs]
        return tuple(self._size(sizes, xs) for sizes in zip(*padded, strict=True))

    def _size(self, sizes: tuple[int, ...], xs: tuple[Shape, ...]) -> int:
        wide = [size for size in sizes if size != 1] or [1]
        if any(size != wide[0] for size in wide):
            raise ShapeError(
                f"{type(self).__name__} joins branches of one shape, got {show(xs)}; "
                "give the branches the same width and stride"
            )
        return wide[0]

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=(len(xs) - 1) * prod(y))


class Add(Join):
    """The sum of its inputs, all of one shape."""

    keeps = NOTHING

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Add as Layer

        return Layer()


class Mul(Join):
    """The product of its inputs; a `(C,)` or `(C, 1, 1)` gate stretches over a map."""

    keeps = INPUT

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Mul as Layer

        return Layer()


class Cat(Join):
    """Its inputs side by side along the channels: (C1, H, W) + (C2, H, W) -> (C1+C2, H, W).

    A map of one position, (C, 1, 1), stretches over the others.
    """

    kind = Kind.REARRANGEMENT
    keeps = NOTHING

    def shape(self, *xs: Shape) -> Shape:
        maps = [x for x in xs if len(x) != len(xs[0]) or set(x[1:]) != {1}] or xs
        if any(x[1:] != maps[0][1:] for x in maps):
            raise ShapeError(
                f"Cat joins maps of one height and width, got {show(xs)}; "
                "give the branches the same stride and padding"
            )
        return (sum(x[0] for x in xs), *maps[0][1:])

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost()

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Cat as Layer

        return Layer()
