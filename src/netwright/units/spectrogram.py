"""Signals as images of their frequencies."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netwright.core.cost import Cost, Kept
from netwright.core.field import WHOLE, Window
from netwright.core.operation import Kind
from netwright.core.shape import Shape, need_rank, slid
from netwright.core.spec import Unit

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Spectrogram"]


class Spectrogram(Unit):
    """Magnitudes of the short-time Fourier transform, frequency first: (C, L) ->
    (C, size // 2 + 1, (L - size) // stride + 1).

    Windows of `size` samples under a Hann window, `stride` apart; with `log` log(1 + |X|).
    Nothing is padded. Raises `ShapeError` for signals shorter than a window.

    A window is counted as a fast transform of 5/2 size log2(size) operations, and two more a
    sample (the Hann window) and three a frequency; `size` buffer elements. Positions of the
    output have no place of their own in the signal, so its receptive field is global.

    >>> Spectrogram(64, 32).shape((1, 3600))
    (1, 33, 111)
    """

    kind = Kind.OTHER

    size: int = 64
    stride: int = 32
    log: bool = False

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("Spectrogram", x, 2, 2)
        return (x[0], self.size // 2 + 1, slid(x[1], self.size, self.stride, (0, 0)))

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        transform = 5 * self.size * (self.size - 1).bit_length() // 2
        windows = y[0] * y[2]
        bends = prod(y) if self.log else 0
        return Cost(
            ops=windows * (transform + 2 * self.size) + 3 * prod(y) + bends, buffers=self.size
        )

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        spectra = 3 if self.log else 2  # real and imaginary parts, and their magnitudes
        return Kept(each=y[0] * y[2] * self.size + spectra * prod(y))

    def window(self, x: Shape) -> Window:
        return WHOLE

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Spectrogram as Layer

        return Layer(self.size, self.stride, self.log)
