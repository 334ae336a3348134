"""Recurrence over sequences of maps: (T, C, H, W), time first."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from netwright.core.cost import Cost, Kept
from netwright.core.field import UNKNOWN, WHOLE, Taps, Window
from netwright.core.operation import Kind, Sliding
from netwright.core.shape import Axes, Shape, show
from netwright.core.spec import Unit
from netwright.errors import ShapeError, SpecError
from netwright.units.recurrent import causal
from netwright.units.window import sliding_window

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ConvLSTM"]


class ConvLSTM(Unit):
    """An LSTM whose state is a map and whose products are convolutions (Shi et al. 2015,
    arXiv:1506.04214, equation 3): (T, C, H, W) -> (T, width, H, W).

    i, f = sigmoid(Wx * x + Wh * h + P c + b); g = tanh(Wx * x + Wh * h + b); c' = f c + i g;
    o = sigmoid(Wx * x + Wh * h + P c' + b); h' = o tanh(c'). Both kernels are of `kernel`, odd,
    with zeros around; `peepholes` (P) weigh every element of the cell, so the map's size is
    part of the weights. `last` keeps the last state only: (width, H, W).

    Time comes first: (T, C, L), (T, C, H, W), (T, C, D, H, W), one to three axes of space.
    A volume (C, T, H, W) has the same rank and would be read as C steps of T channels.

    With k the elements of the kernel and M those of a map: 4 width (k (C + width) + 1) + 3 width
    M parameters, 4 width k (C + width) M MACs a step, 13 width M other operations, 19 with
    peepholes. A step sees the steps before it through a cone, one kernel wider each step.

    >>> ConvLSTM(64, last=True).shape((10, 3, 32, 32))
    (64, 32, 32)
    """

    kind = Kind.RECURRENT
    uneven = True

    width: int
    kernel: Axes = 3
    peepholes: bool = True
    last: bool = False
    bias: bool = True

    def check(self) -> None:
        sizes: Any = self.kernel if isinstance(self.kernel, tuple) else (self.kernel,)
        if any(isinstance(k, int) and k % 2 == 0 for k in sizes):
            raise SpecError(f"ConvLSTM: kernel is {self.kernel!r}, wanted odd numbers")

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        if not 3 <= len(x) <= 5:
            raise ShapeError(
                f"ConvLSTM takes (T, C, L), (T, C, H, W) or (T, C, D, H, W), got {show(x)}; "
                "time comes first"
            )
        self.sliding(x)  # says so where the kernel has not an axis each
        return (self.width, *x[2:]) if self.last else (x[0], self.width, *x[2:])

    def sliding(self, x: Shape) -> Sliding:
        return sliding_window(len(x) - 2, self.kernel, 1, "same")

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        steps, channels, *size = xs[0]
        cells = self.width * prod(size)
        weights = 4 * self.width * prod(self.sliding(xs[0]).kernel) * (channels + self.width)
        params = weights + (4 * self.width if self.bias else 0)
        return Cost(
            params + (3 * cells if self.peepholes else 0),
            steps * weights * prod(size),
            steps * cells * (19 if self.peepholes else 13),
        )

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        # a step: i, f, g and o, tanh(c'), and c and h from before, at first one map of zeros;
        # peepholes need the last c' too
        maps = 7 * xs[0][0] - (0 if self.peepholes else 1)
        return Kept(input=True, each=maps * self.width * prod(xs[0][2:]))

    def window(self, x: Shape) -> Window:
        if not isinstance(x[0], int):
            return UNKNOWN
        reach = [x[0] * (k // 2) for k in self.sliding(x).kernel]
        if self.last:  # time is gone, and with it the first axis
            local = any(not isinstance(n, int) or r + 1 < n
                        for r, n in zip(reach, x[2:], strict=True))  # fmt: skip
            return UNKNOWN if local else WHOLE
        return (*(causal(x[0]) or ()), *[Taps(((-r, 2 * r + 1),)) for r in reach])

    def module(self, *xs: Shape) -> nn.Module:
        from netwright import layers

        (x,) = xs
        return layers.ConvLSTM(
            x[1], self.width, self.sliding(x).kernel, x[2:],
            peepholes=self.peepholes, last=self.last, bias=self.bias,
        )  # fmt: skip
