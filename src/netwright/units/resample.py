"""Units that make larger maps: up-sampling, and max pooling undone."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar

from netwright.core.check import is_choice
from netwright.core.cost import NOTHING, Cost, Kept
from netwright.core.field import UNKNOWN, Taps, Window
from netwright.core.operation import Kind, Sliding
from netwright.core.shape import Axes, Shape, need_rank, per_axis, show
from netwright.core.spec import Unit
from netwright.errors import ShapeError, SpecError
from netwright.units.pool import MaxPool

if TYPE_CHECKING:
    from torch import nn

__all__ = ["MaxUnpool", "Upsample"]


class Upsample(Unit):
    """More positions, `nearest`, `linear` (bilinear, trilinear) or `cubic` (bicubic, (C, H, W)
    only, a = -3/4; Keys 1981) with half-pixel centres: (C, H, W) -> (C, scale H, scale W).

    With `corners` the outermost positions of input and output lie on each other instead
    (PyTorch's align_corners), so that what a position reads depends on the size of the map.

    One operation an output element for `nearest`, 2^axes for `linear`, 4^axes for `cubic`.

    scale: how many times as many positions; one number, or one an axis
    mode: `nearest`, `linear` or `cubic`
    corners: whether the outermost positions lie on each other, not the borders

    >>> Upsample(2).shape((256, 14, 14))
    (256, 28, 28)
    """

    kind = Kind.RESAMPLING
    keeps = NOTHING

    scale: Axes = 2
    mode: str = "nearest"
    corners: bool = False

    def check(self) -> None:
        is_choice(self, "mode", tuple(_READS))
        if self.corners and self.mode == "nearest":
            raise SpecError(
                "Upsample: corners is True with mode 'nearest', wanted 'linear' or 'cubic'"
            )

    def _scale(self, x: Shape) -> tuple[int, ...]:
        return per_axis(self.scale, len(x) - 1, "scale")

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("Upsample", x, 2, 4)
        if self.mode == "cubic" and len(x) != 3:
            raise ShapeError(f"Upsample: cubic takes (C, H, W), got {show(x)}; use 'linear'")
        return (x[0], *[n * s for n, s in zip(x[1:], self._scale(x), strict=True)])

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=prod(y) * _READS[self.mode] ** (len(y) - 1))

    def window(self, x: Shape) -> Window:
        reads = _READS[self.mode]
        if self.corners:
            sizes = [*zip(x[1:], self._scale(x), strict=True)]
            if not all(isinstance(n, int) and n * s <= PHASES for n, s in sizes):
                return UNKNOWN
            return tuple(_between_corners(n, s, reads) for n, s in sizes)
        return tuple(Taps(((0, 1),) * s) if reads == 1 else _between(s, reads)
                     for s in self._scale(x))  # fmt: skip

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        (x,) = xs
        mode = {"nearest": ["nearest"] * 3, "linear": ["linear", "bilinear", "trilinear"],
                "cubic": ["", "bicubic", ""]}  # fmt: skip
        scale = tuple(float(s) for s in self._scale(x))
        aligned = self.corners or None
        return nn.Upsample(None, scale, mode[self.mode][len(x) - 2], aligned)


PHASES = 2**14
"""Positions of a map that are told apart, an axis."""
_READS = {"nearest": 1, "linear": 2, "cubic": 4}
"""Inputs an output reads, an axis."""


def _between(s: int, reads: int) -> Taps:
    """Output i lies at (i + 1/2)/s - 1/2 and reads so many inputs around, one where it hits."""
    at = [divmod(2 * i + 1 - s, 2 * s) for i in range(s)]
    return Taps(
        tuple((whole, 1) if rest == 0 else (whole + 1 - reads // 2, reads) for whole, rest in at)
    )


def _between_corners(n: int, s: int, reads: int) -> Taps:
    """Output i of s n lies at i (n - 1) / (s n - 1); the whole map is one period."""
    at = [divmod(i * (n - 1), max(1, s * n - 1)) for i in range(s * n)]
    return Taps(
        tuple((whole, 1) if rest == 0 else (whole + 1 - reads // 2, reads) for whole, rest in at),
        down=n,
    )


class MaxUnpool(Unit):
    """Every value of a pooled map back to where its window's maximum was, zeros elsewhere:
    (C, h, w) and the map that was pooled (C, H, W) -> (C, H, W) (Zeiler & Fergus 2013,
    arXiv:1311.2901; SegNet, Badrinarayanan et al. 2015, arXiv:1511.00561).

    Undoes `MaxPool(kernel)`, windows side by side. Its second input is what went into that
    pool, where the maxima are found again: values between units stay maps, no indices
    travel. prod(k) operations an element of the pooled map.

    >>> MaxUnpool(2).shape((64, 6, 5), (64, 13, 11))
    (64, 13, 11)
    """

    kind = Kind.RESAMPLING
    joins: ClassVar[bool] = True

    kernel: Axes = 2

    def shape(self, *xs: Shape) -> Shape:
        pooled = xs[1:] and MaxPool(self.kernel).shape(xs[1])
        if len(xs) != 2 or xs[0] != pooled:
            raise ShapeError(
                f"MaxUnpool takes a map pooled by {self.kernel} and the map before that, "
                f"got {show(xs)}"
            )
        return xs[1]

    def sliding(self, x: Shape) -> Sliding:
        return MaxPool(self.kernel).sliding(x)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return MaxPool(self.kernel).cost(xs[1], y=xs[0])

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(indices=prod(xs[0]))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import MaxUnpool as Layer

        return Layer(per_axis(self.kernel, len(xs[0]) - 1))
