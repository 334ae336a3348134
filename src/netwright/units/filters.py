"""Banks of classic filters over every channel, fixed or as the start of training."""

from __future__ import annotations

from dataclasses import KW_ONLY
from math import prod
from typing import TYPE_CHECKING

from netwright.core.check import is_choice, is_count, is_number, is_padding
from netwright.core.cost import Cost, Kept
from netwright.core.field import Taps, Window
from netwright.core.operation import Kind, Sliding
from netwright.core.shape import Axes, Padding, Shape, need_rank, slid
from netwright.core.spec import Unit
from netwright.errors import SpecError
from netwright.units.padding import check_border_of, is_border, kept_padded
from netwright.units.window import sliding_window

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["Bank", "FilterBank", "GaborBank"]

SINGLE = ("box", "gaussian", "identity")
"""Banks of one filter of any size; the others are three pixels wide."""
HOLED = ("emboss", "laplacian", "sharpen", "sobel")
COUNTS = {"emboss": 1, "laplacian": 1, "sharpen": 1, "sobel": 2}


class Bank(Unit, abstract=True):
    """Every filter over every channel: (C, H, W) -> (C n, H', W').

    Output channel c n + j is filter j over channel c. C n k^2 buffer elements, or parameters
    that start as the filters where `trainable`; C n k^2 MACs a position of the output.
    `border` says what stands in the padding, see `netwright.units.padding`.
    """

    kind = Kind.CONVOLUTION

    _: KW_ONLY
    stride: Axes = 1
    padding: Padding = "same"
    border: str | float = "zeros"
    trainable: bool = False

    @property
    def kernels(self) -> tuple[int, int]:
        """How many filters there are, and how wide one is."""
        raise NotImplementedError

    def filters(self) -> Tensor:
        """The filters: (n, k, k)."""
        raise NotImplementedError

    def check(self) -> None:
        is_padding(self)
        is_border(self)
        if self.border in ("crop", "random"):
            raise SpecError(
                f"{type(self).__name__}: border is {self.border!r}, wanted one that pads: that "
                "one is Conv's"
            )

    def sliding(self, x: Shape) -> Sliding:
        return sliding_window(len(x) - 1, self.kernels[1], self.stride, self.padding, 1, x[0])

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank(type(self).__name__, x, 3, 3)
        k, s, p, d, _ = self.sliding(x)
        check_border_of(self, self.border, p, x)
        axes = zip(x[1:], k, s, p, d, strict=True)
        return (x[0] * self.kernels[0], *[slid(*axis) for axis in axes])

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        weights = y[0] * self.kernels[1] ** 2
        macs = weights * prod(y[1:])
        return Cost(weights, macs) if self.trainable else Cost(0, macs, 0, weights)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return kept_padded(xs[0], self.sliding(xs[0]).padding, self.border)

    def window(self, x: Shape) -> Window:
        return self.sliding(x).taps

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import FilterBank as Layer

        (x,) = xs
        _, s, p, _, _ = self.sliding(x)
        return Layer(x[0], self.filters(), s, p, self.border, self.trainable)


class FilterBank(Bank):
    """A classic bank over every channel: (C, H, W) -> (C n, H', W').

    `bank` is "identity", "box", "gaussian", "laplacian", "sharpen", "emboss" (n = 1) or
    "sobel" (n = 2: to the right, downwards). The first three are `size` pixels wide, the
    others 3; a Gaussian has a standard deviation of `sigma` pixels. Kernels are correlated,
    not turned round, as everywhere in nets; `border` says what stands in the padding.

    Costs C n k^2 buffer elements (parameters where `trainable`) and, a position of the
    output, as many MACs. `netwright.layers.filters` has the kernels themselves.

    >>> FilterBank("sobel").shape((3, 32, 32))
    (6, 32, 32)
    """

    bank: str
    size: int = 3
    sigma: float = 1.0

    @property
    def kernels(self) -> tuple[int, int]:
        return COUNTS.get(self.bank, 1), self.size

    def check(self) -> None:
        super().check()
        is_choice(self, "bank", tuple(sorted((*SINGLE, *COUNTS))))
        is_number(self, "sigma", above=0)
        if self.bank in COUNTS and self.size != 3:
            raise SpecError(f"FilterBank: size is {self.size!r}, wanted 3 for {self.bank!r}")
        if self.bank != "gaussian" and self.sigma != 1:
            raise SpecError(
                f"FilterBank: sigma is {self.sigma!r}, wanted none for {self.bank!r}: "
                "it is the Gaussian's"
            )

    @property
    def uneven(self) -> bool:  # type: ignore[override]
        """Whether the kernels have zeros at the same places: corners, or the middle."""
        return self.bank in HOLED and not self.trainable

    def window(self, x: Shape) -> Window:
        if self.bank != "identity" or self.trainable:
            return super().window(x)
        _, strides, pads, _, _ = self.sliding(x)
        middle = (self.size - 1) // 2
        axes = zip(strides, pads, strict=True)
        return tuple([Taps(((middle - before, 1),), 1, step) for step, (before, _) in axes])

    def filters(self) -> Tensor:
        from netwright.layers.filters import FILTERS

        if self.bank == "gaussian":
            return FILTERS[self.bank](self.sigma, self.size)
        return FILTERS[self.bank](*[self.size] if self.bank in SINGLE else [])


class GaborBank(Bank):
    """Even and odd Gabor filters at every frequency and orientation over every channel:
    (C, H, W) -> (C n, H', W') with n = 2 orientations len(frequencies).

    A Gaussian times cos and sin 2 pi (U x + V y), with (U, V) = f (cos, sin)(i pi /
    orientations) cycles a pixel and a width that passes `octaves` around f: models of simple
    cells (Daugman 1985; Jain & Farrokhnia 1991). Output channels run over even and odd first,
    then orientations, then frequencies.

    Costs C n size^2 buffer elements (parameters where `trainable`) and, a position of the
    output, as many MACs.

    >>> GaborBank(orientations=6).shape((1, 28, 28))
    (12, 28, 28)
    """

    orientations: int = 4
    frequencies: tuple[float, ...] = (0.25,)
    octaves: float = 1.0
    size: int = 15

    @property
    def kernels(self) -> tuple[int, int]:
        return 2 * self.orientations * len(self.frequencies), self.size

    def check(self) -> None:
        super().check()
        is_count(self, "orientations")
        is_number(self, "octaves", above=0)
        if not all(type(f) in (int, float) and 0 < f <= 0.5 for f in self.frequencies):
            raise SpecError(
                f"GaborBank: frequencies is {self.frequencies!r}, wanted a tuple of numbers "
                "above 0 and at most 0.5 cycles a pixel"
            )

    def filters(self) -> Tensor:
        from netwright.layers import gabor_bank

        return gabor_bank(self.orientations, self.frequencies, self.octaves, self.size)
