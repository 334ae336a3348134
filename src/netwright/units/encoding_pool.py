"""Pools that encode a whole map, or its patches: Tensor Sketch, VLAD, principal components."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netwright.core.check import is_count, is_number, is_padding
from netwright.core.cost import Cost, Kept
from netwright.core.field import WHOLE, Window
from netwright.core.operation import Kind, Sliding
from netwright.core.shape import Axes, Padding, Shape, need_rank, show, slid
from netwright.core.spec import Unit
from netwright.errors import ShapeError
from netwright.units.window import padded, sliding_window

if TYPE_CHECKING:
    from torch import nn

__all__ = ["CompactBilinearPool", "OrderlessPool", "PCAPool"]


class CompactBilinearPool(Unit):
    """The sum over positions of x x^T, sketched into `width` numbers: (C, H, W) -> (width,)
    (Gao et al. 2016, arXiv:1511.06062, Tensor Sketch).

    Two count sketches with random places and signs, convolved by Fourier transform; 4 C
    buffer elements. A position takes 2 C operations for the sketches, and with a transform
    of d = `width` numbers counted as d log2 d, 2 d log2 d + d; the inverse is taken once.

    >>> CompactBilinearPool(8192).shape((512, 28, 28))
    (8192,)
    """

    kind = Kind.POOLING

    width: int

    def shape(self, *xs: Shape) -> Shape:
        need_rank("CompactBilinearPool", xs[0], 2, 4)
        return (self.width,)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        if not isinstance(self.width, int):
            raise ShapeError(f"CompactBilinearPool: width {self.width} is a symbol; a transform "
                             "counts the logarithm rounded up, give a number")  # fmt: skip
        transform = self.width * (self.width - 1).bit_length()
        each = 2 * x[0] + 2 * transform + self.width
        return Cost(ops=each * prod(x[1:]) + transform, buffers=4 * x[0])

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        x = xs[0]
        spectrum = 2 * (self.width // 2 + 1)
        return Kept(each=2 * prod(x[1:]) * (x[0] + self.width + spectrum))

    def window(self, x: Shape) -> Window:
        return WHOLE

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import CompactBilinearPool as Layer

        return Layer(xs[0][0], self.width)


class OrderlessPool(Unit):
    """Multi-scale orderless pooling, the mean of a map beside VLAD codes of its windows:
    (C, H, W) -> (C (1 + K S),) for K `centres` and S sizes of `windows` (Gong et al. 2014,
    arXiv:1403.1840).

    A window's mean is assigned to the centres of its scale by a Gaussian of width `sigma`;
    the code is the sum of what separates it from them. Every part is L2-normalised. S K C
    buffer elements, found by the layer's `fit`; 2 K C MACs a window. Raises `ShapeError`
    where a window does not fit the map.

    >>> OrderlessPool(16, (4, 2)).shape((64, 14, 14))
    (2112,)
    """

    kind = Kind.POOLING

    centres: int = 8
    windows: Axes = (4, 2)
    stride: int = 1
    sigma: float = 1.0

    def check(self) -> None:
        is_count(self, "centres")
        is_number(self, "sigma", above=0)

    def _windows(self) -> tuple[int, ...]:
        return self.windows if isinstance(self.windows, tuple) else (self.windows,)

    def _positions(self, x: Shape, size: int) -> int:
        return prod(slid(n, size, self.stride, (0, 0)) for n in x[1:])

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("OrderlessPool", x, 2, 4)
        for size in self._windows():
            self._positions(x, size)
        return (x[0] * (1 + self.centres * len(self._windows())),)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        counts = [self._positions(x, size) for size in self._windows()]
        taps = [size ** (len(x) - 1) for size in self._windows()]
        means = sum(count * k for count, k in zip(counts, taps, strict=True))
        codes = sum(counts)
        return Cost(
            macs=2 * codes * self.centres * x[0],
            ops=prod(x) + x[0] * means + codes * self.centres,
            buffers=len(counts) * self.centres * x[0],
        )

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        (x,) = xs
        codes = sum([self._positions(x, size) for size in self._windows()])
        parts = [x[0], *[self.centres * x[0] for _ in self._windows()]]
        norms = sum([part + 2 for part in parts])
        return Kept(input=True, each=codes * (self.centres + x[0]) + norms)

    def window(self, x: Shape) -> Window:
        return WHOLE

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import OrderlessPool as Layer

        return Layer(xs[0][0], self.centres, self._windows(), self.stride, self.sigma)


class PCAPool(Unit):
    """The first `width` principal components of every patch, a stage of PCANet: (C, H, W) ->
    (width, H', W') (Chan et al. 2015, arXiv:1404.3606).

    A convolution whose C prod(k) width weights are buffers, found by the layer's `fit` from
    maps: eigenvectors of the patches less their means, at most C prod(k) - 1 of them. A
    stride of None is the kernel's. C prod(k) width MACs a position.

    >>> PCAPool(8, 7, stride=1, padding="same").shape((3, 32, 32))
    (8, 32, 32)
    """

    kind = Kind.POOLING

    width: int
    kernel: Axes = 2
    stride: Axes | None = None
    padding: Padding = 0

    def check(self) -> None:
        is_padding(self)

    def sliding(self, x: Shape) -> Sliding:
        stride = self.kernel if self.stride is None else self.stride
        return sliding_window(len(x) - 1, self.kernel, stride, self.padding)

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("PCAPool", x, 2, 4)
        k, s, p, _, _ = self.sliding(x)
        values = x[0] * prod(k)
        if isinstance(values, int) and self.width >= values:
            raise ShapeError(
                f"PCAPool: width {self.width} of patches of {values} values in {show(x)}; less "
                "their mean they have one component fewer, use a smaller width or a larger kernel"
            )
        return (self.width, *[slid(*axis) for axis in zip(x[1:], k, s, p, strict=True)])

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        weights = x[0] * prod(self.sliding(x)[0]) * self.width
        return Cost(macs=weights * prod(y[1:]), buffers=weights)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(each=prod(padded(xs[0], self.sliding(xs[0]).padding)))

    def window(self, x: Shape) -> Window:
        return self.sliding(x).taps

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import PCAPool as Layer

        k, s, p, _, _ = self.sliding(xs[0])
        return Layer(xs[0][0], self.width, k, s, p)
