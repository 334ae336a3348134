"""Units that move values and compute nothing: sub-sampling, padding and shuffling of channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netwright.core.cost import NOTHING, VIEW
from netwright.core.field import Taps, Window
from netwright.core.operation import Kind
from netwright.core.shape import Axes, Shape, need_rank, per_axis, show
from netwright.core.spec import Unit
from netwright.errors import ShapeError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ChannelShuffle", "PadChannels", "PixelShuffle", "PixelUnshuffle", "Subsample"]


class Subsample(Unit):
    """Every `stride`-th position from `start` on: (C, H, W) -> (C, ceil((H - start) / s), ...),
    free.

    stride: positions from one that is kept to the next; one number, or one an axis
    start: the first that is kept

    >>> Subsample(2).shape((16, 32, 32))
    (16, 16, 16)
    """

    kind = Kind.REARRANGEMENT
    keeps = VIEW

    stride: Axes = 2
    start: int = 0

    def _stride(self, x: Shape) -> tuple[int, ...]:
        return per_axis(self.stride, len(x) - 1, "stride")

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("Subsample", x, 2, 4)
        if any(isinstance(n, int) and n <= self.start for n in x[1:]):
            raise ShapeError(f"Subsample: there is no position {self.start} in {show(x)}")
        strides = self._stride(x)
        return (x[0], *[-((self.start - n) // s) for n, s in zip(x[1:], strides, strict=True)])

    def window(self, x: Shape) -> Window:
        return tuple(Taps(((self.start, 1),), 1, s) for s in self._stride(x))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Subsample as Layer

        return Layer(self._stride(xs[0]), self.start)


class PixelShuffle(Unit):
    """Channels dealt out to positions: (C, H, W) -> (C / r^2, r H, r W), free (Shi et al. 2016,
    arXiv:1609.05158); channel c r^2 + r i + j goes to row i, column j of each r x r cell.

    >>> PixelShuffle(2).shape((64, 14, 14))
    (16, 28, 28)
    """

    kind = Kind.REARRANGEMENT
    keeps = NOTHING

    scale: int = 2

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("PixelShuffle", x, 3, 3)
        if isinstance(x[0], int) and x[0] % self.scale**2:
            raise ShapeError(
                f"PixelShuffle: {self.scale**2} places of a cell do not divide {x[0]} channels"
            )
        return (x[0] // self.scale**2, x[1] * self.scale, x[2] * self.scale)

    def window(self, x: Shape) -> Window:
        return (Taps(((0, 1),) * self.scale),) * 2

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return nn.PixelShuffle(self.scale)


class PixelUnshuffle(Unit):
    """Positions of r x r cells gathered in channels, `PixelShuffle` undone: (C, H, W) ->
    (C r^2, H / r, W / r), free.

    >>> PixelUnshuffle(2).shape((16, 28, 28))
    (64, 14, 14)
    """

    kind = Kind.REARRANGEMENT
    keeps = NOTHING

    scale: int = 2

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("PixelUnshuffle", x, 3, 3)
        if any(isinstance(n, int) and n % self.scale for n in x[1:]):
            raise ShapeError(f"PixelUnshuffle: cells of {self.scale} do not divide {show(x)}")
        return (x[0] * self.scale**2, x[1] // self.scale, x[2] // self.scale)

    def window(self, x: Shape) -> Window:
        return (Taps(((0, self.scale),), 1, self.scale),) * 2

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return nn.PixelUnshuffle(self.scale)


class PadChannels(Unit):
    """Channels of zeros after the given ones: (C, H, W) -> (width, H, W), free; the
    shortcut of option A in He et al. 2015 (arXiv:1512.03385).

    width: channels of the output, no fewer than those of the input

    >>> PadChannels(32).shape((16, 8, 8))
    (32, 8, 8)
    """

    kind = Kind.REARRANGEMENT
    keeps = NOTHING

    width: int

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("PadChannels", x, 2, 4)
        if isinstance(x[0], int) and x[0] > self.width:
            raise ShapeError(f"PadChannels cannot pad {x[0]} channels to {self.width}")
        return (self.width, *x[1:])

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import PadChannels as Layer

        return Layer(self.width - xs[0][0])


class ChannelShuffle(Unit):
    """Channels of every group dealt out to all groups (Zhang et al. 2017, arXiv:1707.01083):
    (C, H, W) -> the same shape, free.
    """

    kind = Kind.REARRANGEMENT
    keeps = NOTHING

    groups: int

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("ChannelShuffle", x, 2, 4)
        if isinstance(x[0], int) and x[0] % self.groups:
            raise ShapeError(f"ChannelShuffle: groups {self.groups} do not divide {x[0]} channels")
        return x

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return nn.ChannelShuffle(self.groups)
