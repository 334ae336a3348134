"""Units that act on channels: some of them taken, each scaled and shifted."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netwright.core.check import is_count, is_number
from netwright.core.cost import INPUT, NOTHING, VIEW, Cost
from netwright.core.operation import Kind
from netwright.core.shape import Shape, need_rank, show
from netwright.core.spec import Unit
from netwright.errors import ShapeError, SpecError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Affine", "Channels", "LayerScale", "SelectChannels"]


class Channels(Unit):
    """Channels `start` up to, and without, `stop`: (C, H, W) -> (stop - start, H, W), free.

    Raises `ShapeError` where the map has fewer.

    >>> Channels(58, 116).shape((116, 28, 28))
    (58, 28, 28)
    """

    kind = Kind.REARRANGEMENT
    keeps = VIEW

    start: int
    stop: int

    def check(self) -> None:
        is_count(self, "stop")
        if isinstance(self.start, int) and isinstance(self.stop, int) and self.stop <= self.start:
            raise SpecError(f"Channels: stop is {self.stop}, wanted more than start {self.start}")

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("Channels", x, 1, 4)
        if isinstance(x[0], int) and isinstance(self.stop, int) and x[0] < self.stop:
            raise ShapeError(f"Channels: there is no channel {self.stop - 1} in {show(x)}")
        return (self.stop - self.start, *x[1:])

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Channels as Layer

        return Layer(self.start, self.stop)


class SelectChannels(Unit):
    """The channels named, in that order: (C, H, W) -> (len(channels), H, W), free.

    Raises `ShapeError` where the map has fewer.

    >>> SelectChannels((4, 5, 0)).shape((6, 14, 14))
    (3, 14, 14)
    """

    kind = Kind.REARRANGEMENT
    keeps = NOTHING

    channels: tuple[int, ...]

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("SelectChannels", x, 1, 4)
        if isinstance(x[0], int) and x[0] <= max(self.channels):
            raise ShapeError(
                f"SelectChannels: there is no channel {max(self.channels)} in {show(x)}"
            )
        return (len(self.channels), *x[1:])

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import SelectChannels as Layer

        return Layer(self.channels)


class LayerScale(Unit):
    """x times a learnt factor a channel, `factor` at the start: any shape -> the same shape.

    At the end of a residual body a small one lets deep nets begin near the identity (Touvron
    et al. 2021, arXiv:2103.17239). C parameters, one operation an element.

    >>> LayerScale().cost((96, 56, 56), y=(96, 56, 56)).params
    96
    """

    kind = Kind.ELEMENTWISE
    keeps = INPUT

    factor: float = 1e-6

    def check(self) -> None:
        is_number(self, "factor")

    def shape(self, *xs: Shape) -> Shape:
        need_rank("LayerScale", xs[0], 1, 4)
        return xs[0]

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(y[0], 0, prod(y))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import LayerScale as Layer

        return Layer(xs[0][0], self.factor)


class Affine(Unit):
    """x times a learnt factor plus a learnt shift, one of each a channel: any shape -> the
    same shape. The factors start at 1, the shifts at 0.

    Behind an `AvgPool` it makes the trainable sub-sampling of LeNet-5 (LeCun et al. 1998).
    2 C parameters, two operations an element.

    >>> Affine().cost((6, 14, 14), y=(6, 14, 14)).params
    12
    """

    kind = Kind.ELEMENTWISE
    keeps = INPUT

    def shape(self, *xs: Shape) -> Shape:
        need_rank("Affine", xs[0], 1, 4)
        return xs[0]

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(2 * y[0], 0, 2 * prod(y))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Affine as Layer

        return Layer(xs[0][0])
