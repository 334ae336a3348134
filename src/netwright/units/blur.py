"""Anti-aliased pooling: blur, then subsample."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netwright.core.check import is_choice
from netwright.core.cost import Cost, Kept
from netwright.core.field import Window
from netwright.core.operation import Kind, Sliding
from netwright.core.shape import Shape, need_rank
from netwright.core.spec import Unit
from netwright.units.padding import check_border_of, kept_padded
from netwright.units.window import sliding_window

if TYPE_CHECKING:
    from torch import nn

__all__ = ["BlurPool"]


class BlurPool(Unit):
    """A binomial filter of `size` taps an axis (1 2 1 for 3), then every `stride`-th position:
    (C, H, W) -> (C, ceil(H / s), ceil(W / s)) (Zhang 2019, arXiv:1904.11486).

    Without the blur a shift of the image by one pixel can change half of what is kept. The
    border is reflected as in the paper's code, or what `border` says. A depthwise
    convolution with fixed weights: size^2 MACs an output element.

    >>> BlurPool().shape((64, 55, 55))
    (64, 28, 28)
    """

    kind = Kind.POOLING

    size: int = 3
    stride: int = 2
    border: str = "reflect"

    def check(self) -> None:
        is_choice(self, "border", ("zeros", "circular", "replicate", "reflect", "symmetric"))

    def sliding(self, x: Shape) -> Sliding:
        return sliding_window(len(x) - 1, self.size, self.stride, "same", 1, x[0])

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("BlurPool", x, 2, 4)
        check_border_of(self, self.border, self.sliding(x).padding, x)
        return (x[0], *[-(-n // self.stride) for n in x[1:]])

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        taps = self.size ** (len(y) - 1)
        return Cost(macs=taps * prod(y), buffers=taps)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return kept_padded(xs[0], self.sliding(xs[0]).padding, self.border)

    def window(self, x: Shape) -> Window:
        return self.sliding(x).taps

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import BlurPool as Layer

        return Layer(self.size, self.stride, self.border, len(xs[0]) - 1)
