"""What slides: windows, and the fields every convolution has."""

from __future__ import annotations

from functools import lru_cache

from netwright.core.check import is_padding
from netwright.core.field import Window
from netwright.core.operation import Kind, Sliding
from netwright.core.shape import Axes, Padding, Shape, need_rank, pads, per_axis, slid, tight_pads
from netwright.core.spec import Unit
from netwright.errors import ShapeError, SpecError

__all__ = [
    "Convolution",
    "GroupedConvolution",
    "check_groups",
    "check_groups_of",
    "padded",
    "sliding_window",
]


def padded(x: Shape, pads: tuple[tuple[int, int], ...]) -> Shape:
    """The shape of a map with its padding."""
    return (x[0], *[n + before + after for n, (before, after) in zip(x[1:], pads, strict=True)])


@lru_cache(maxsize=1024)
def sliding_window(
    rank: int, kernel: Axes, stride: Axes, padding: Padding, dilation: Axes = 1, groups: int = 1
) -> Sliding:
    """The window of a unit with these fields over `rank` axes."""
    k, s = per_axis(kernel, rank), per_axis(stride, rank, "stride")
    d = per_axis(dilation, rank, "dilation")
    return Sliding(k, s, pads(padding, k, d), d, groups)


class Convolution(Unit, abstract=True):
    """A learnt window of `width` outputs that slides over a map: (C, H, W) -> (width, H', W').

    H' = floor((H + p - d(k-1) - 1) / s) + 1. Fields are one number or one an axis.
    """

    kind = Kind.CONVOLUTION

    width: int
    kernel: Axes = 3
    stride: Axes = 1
    padding: Padding = "same"
    dilation: Axes = 1

    def check(self) -> None:
        is_padding(self, tight=True)

    def sliding(self, x: Shape) -> Sliding:
        rank, padding = len(x) - 1, self.padding
        if padding == "tight":
            axes = (self.kernel, self.stride, self.dilation)
            padding = tight_pads(x[1:], *[per_axis(axis, rank) for axis in axes])
        return sliding_window(rank, self.kernel, self.stride, padding, self.dilation)

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank(type(self).__name__, x, 2, 4)
        k, s, p, d, _ = self.sliding(x)
        return (self.width, *[slid(*axis) for axis in zip(x[1:], k, s, p, d, strict=True)])

    def window(self, x: Shape) -> Window:
        return self.sliding(x).taps


class GroupedConvolution(Convolution, abstract=True):
    """A convolution whose outputs are cut into `groups`, each seeing its share of channels."""

    groups: int = 1
    bias: bool = True

    def check(self) -> None:
        super().check()
        check_groups(self, self.groups, "width", self.width)

    def sliding(self, x: Shape) -> Sliding:
        return super().sliding(x)._replace(groups=self.groups)

    def shape(self, *xs: Shape) -> Shape:
        y = super().shape(*xs)
        check_groups_of(self, self.groups, xs[0])
        return y


def check_groups(unit: Unit, groups: int, what: str, size: int) -> None:
    """Raise `SpecError` unless `groups` divide the field `what`."""
    if not _divides(groups, size):
        raise SpecError(f"{type(unit).__name__}: groups {groups} do not divide {what} {size}")


def check_groups_of(unit: Unit, groups: int, x: Shape) -> None:
    """Raise `ShapeError` unless `groups` divide the channels of `x`."""
    if not _divides(groups, x[0]):
        raise ShapeError(
            f"{type(unit).__name__}: groups {groups} do not divide the {x[0]} input channels"
        )


def _divides(groups: object, size: object) -> bool:
    """Whether it does; symbols get the benefit of the doubt."""
    return not (isinstance(groups, int) and isinstance(size, int)) or size % groups == 0
