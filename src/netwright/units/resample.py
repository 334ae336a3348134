"""Units that move values: up-sampling, padding and shuffling of channels."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netwright.core.check import is_choice, is_count
from netwright.core.cost import Cost
from netwright.core.field import Taps, Window
from netwright.core.shape import Axes, Shape, need_rank, per_axis
from netwright.core.spec import Unit
from netwright.errors import ShapeError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ChannelShuffle", "PadChannels", "Subsample", "Upsample"]


class Upsample(Unit):
    """More positions, `nearest` or `linear` (bilinear, trilinear) with half-pixel centres:
    (C, H, W) -> (C, scale H, scale W).

    One operation an output element for `nearest`, 2^axes for `linear`.

    >>> Upsample(2).shape((256, 14, 14))
    (256, 28, 28)
    """

    scale: Axes = 2
    mode: str = "nearest"

    def check(self) -> None:
        is_count(self, "scale", axes=True)
        is_choice(self, "mode", ("nearest", "linear"))

    def _scale(self, x: Shape) -> tuple[int, ...]:
        return per_axis(self.scale, len(x) - 1, "scale")

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("Upsample", x, 2, 4)
        return (x[0], *[n * s for n, s in zip(x[1:], self._scale(x), strict=True)])

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=prod(y) * (2 ** (len(y) - 1) if self.mode == "linear" else 1))

    def window(self, x: Shape) -> Window:
        return tuple(_between(s) if self.mode == "linear" else Taps(((0, 1),) * s)
                     for s in self._scale(x))  # fmt: skip

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        (x,) = xs
        mode = {"nearest": ["nearest"] * 3, "linear": ["linear", "bilinear", "trilinear"]}
        scale = tuple(float(s) for s in self._scale(x))
        return nn.Upsample(scale_factor=scale, mode=mode[self.mode][len(x) - 2])


def _between(s: int) -> Taps:
    """Output i lies at (i + 1/2)/s - 1/2 and reads the two inputs around, one where it hits."""
    at = [divmod(2 * i + 1 - s, 2 * s) for i in range(s)]
    return Taps(tuple((whole, 1 if rest == 0 else 2) for whole, rest in at))


class Subsample(Unit):
    """Every `stride`-th position: (C, H, W) -> (C, ceil(H / s), ceil(W / s)), free.

    >>> Subsample(2).shape((16, 32, 32))
    (16, 16, 16)
    """

    stride: Axes = 2

    def check(self) -> None:
        is_count(self, "stride", axes=True)

    def _stride(self, x: Shape) -> tuple[int, ...]:
        return per_axis(self.stride, len(x) - 1, "stride")

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("Subsample", x, 2, 4)
        return (x[0], *[-(-n // s) for n, s in zip(x[1:], self._stride(x), strict=True)])

    def window(self, x: Shape) -> Window:
        return tuple(Taps(down=s) for s in self._stride(x))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Subsample as Layer

        return Layer(self._stride(xs[0]))


class PadChannels(Unit):
    """Channels of zeros after the given ones: (C, H, W) -> (width, H, W), free; the
    shortcut of option A in He et al. 2015 (arXiv:1512.03385).

    >>> PadChannels(32).shape((16, 8, 8))
    (32, 8, 8)
    """

    width: int

    def check(self) -> None:
        is_count(self, "width")

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

    groups: int

    def check(self) -> None:
        is_count(self, "groups")

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("ChannelShuffle", x, 2, 4)
        if isinstance(x[0], int) and x[0] % self.groups:
            raise ShapeError(f"ChannelShuffle: groups {self.groups} do not divide {x[0]} channels")
        return x

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return nn.ChannelShuffle(self.groups)
