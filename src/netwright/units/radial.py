"""Distances to fixed points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netwright.core.cost import INPUT, Cost
from netwright.core.field import WHOLE, Window
from netwright.core.operation import Kind
from netwright.core.shape import Shape, need_rank
from netwright.core.spec import Unit
from netwright.errors import ShapeError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["RadialBasis"]


class RadialBasis(Unit):
    """y_i = |x - c_i|^2, the squared distance to the code of class i: (F,) -> (width,).

    The output of LeNet-5 (LeCun et al. 1998, section II.B): codes of +1 and -1 that are not
    learnt. The paper draws them as images of the characters; these are rows of a Hadamard
    matrix, an error-correcting code, of which it speaks too. F has room for fewer classes
    than the next power of two.

    F width buffer elements; F width MACs for the products, 2 (F + width) other operations.

    >>> RadialBasis(10).shape((84,))
    (10,)
    """

    kind = Kind.OTHER
    keeps = INPUT

    width: int

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("RadialBasis", x, 1, 1)
        if isinstance(x[0], int) and isinstance(self.width, int) and self.width >= _room(x[0]):
            raise ShapeError(
                f"RadialBasis: {x[0]} numbers have codes for {_room(x[0]) - 1} classes, "
                f"wanted {self.width}; use a wider layer before it"
            )
        return (self.width,)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        ((features,),) = xs
        products = features * self.width
        return Cost(macs=products, ops=2 * (features + self.width), buffers=products)

    def window(self, x: Shape) -> Window:
        return WHOLE

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import RadialBasis as Layer

        return Layer(xs[0][0], self.width)


def _room(features: int) -> int:
    """The next power of two: the size of the matrix whose rows are cut to `features`."""
    return 1 << (features - 1).bit_length()
