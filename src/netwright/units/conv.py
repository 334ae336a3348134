"""Convolution in one, two and three dimensions, and its transpose."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from netwright.core.check import is_count, is_flag, is_padding
from netwright.core.cost import Cost
from netwright.core.field import UNKNOWN, Taps, Window
from netwright.core.shape import Axes, Padding, Shape, need_rank, pads, per_axis, show, slid, spread
from netwright.core.spec import Unit
from netwright.errors import ShapeError, SpecError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Conv", "Sliding", "TransposedConv", "sliding_window"]


class Sliding(NamedTuple):
    """A window an axis: kernel, stride, (before, after) padding, dilation; and its taps."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    taps: Window


@lru_cache(maxsize=1024)
def sliding_window(
    rank: int, kernel: Axes, stride: Axes, padding: Padding, dilation: Axes
) -> Sliding:
    """The window of a unit with these fields over `rank` axes."""
    k, s = per_axis(kernel, rank), per_axis(stride, rank, "stride")
    d = per_axis(dilation, rank, "dilation")
    p = pads(padding, k, d)
    if not all(isinstance(n, int) for n in (*k, *s, *d)):
        return Sliding(k, s, p, d, UNKNOWN)
    taps = tuple(
        Taps(((-before, n),), step, hop)
        for n, hop, (before, _), step in zip(k, s, p, d, strict=True)
    )
    return Sliding(k, s, p, d, taps)


class Conv(Unit):
    """Discrete cross-correlation with learnt kernels: (C, H, W) -> (width, H', W').

    One class for (C, L), (C, H, W) and (C, T, H, W); `kernel`, `stride`, `padding` and
    `dilation` are one number or one an axis. H' = floor((H + p - d(k-1) - 1) / s) + 1;
    `same` padding adds d(k-1) in all, so that H' = ceil(H / s).

    Costs (C / groups) prod(k) width + width parameters and, a position of the output,
    (C / groups) prod(k) width MACs (Dumoulin & Visin 2016, arXiv:1603.07285).
    Raises `SpecError` for impossible fields, `ShapeError` where groups do not divide C.

    >>> Conv(64, 7, stride=2, padding=3).shape((3, 224, 224))
    (64, 112, 112)
    """

    width: int
    kernel: Axes = 3
    stride: Axes = 1
    padding: Padding = "same"
    dilation: Axes = 1
    groups: int = 1
    bias: bool = True

    def check(self) -> None:
        is_count(self, "width", "groups")
        is_count(self, "kernel", "stride", "dilation", axes=True)
        is_padding(self)
        is_flag(self, "bias")
        _check_groups(self, "width", self.width)

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("Conv", x, 2, 4)
        _check_groups_of(self, x)
        k, s, p, d, _ = self.sliding(x)
        return (self.width, *[slid(*axis) for axis in zip(x[1:], k, s, p, d, strict=True)])

    def sliding(self, x: Shape) -> Sliding:
        """What `sliding_window` says of this unit at input shape `x`."""
        return sliding_window(len(x) - 1, self.kernel, self.stride, self.padding, self.dilation)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        weights = x[0] // self.groups * prod(self.sliding(x)[0]) * self.width
        return Cost(weights + (self.width if self.bias else 0), weights * prod(y[1:]))

    def window(self, x: Shape) -> Window:
        return self.sliding(x)[4]

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        from netwright.layers import padded_conv

        (x,) = xs
        k, s, p, d, _ = self.sliding(x)
        even = all(before == after for before, after in p)
        kinds: Any = (nn.Conv1d, nn.Conv2d, nn.Conv3d) if even else padded_conv
        return kinds[len(x) - 2](
            x[0], self.width, k, s, tuple(before for before, _ in p) if even else p, d,
            self.groups, self.bias,
        )  # fmt: skip


class TransposedConv(Unit):
    """The transpose of a convolution: (C, H, W) -> (width, (H-1)s - 2p + d(k-1) + o + 1, ...).

    `padding` counts as in the convolution it transposes, `extra` (o) is added after the
    end. A kernel that the stride does not divide paints a checkerboard (Odena et al. 2016).
    Costs C (width / groups) prod(k) + width parameters and as many MACs a position of the
    *input* (bias left out).

    >>> TransposedConv(64, 2, stride=2).shape((128, 28, 28))
    (64, 56, 56)
    """

    width: int
    kernel: Axes = 2
    stride: Axes = 2
    padding: Padding = 0
    extra: Axes = 0
    dilation: Axes = 1
    groups: int = 1
    bias: bool = True

    def check(self) -> None:
        is_count(self, "width", "groups")
        is_count(self, "kernel", "stride", "dilation", axes=True)
        is_count(self, "extra", least=0, axes=True)
        is_padding(self)
        is_flag(self, "bias")
        _check_groups(self, "width", self.width)

    def sliding(self, x: Shape) -> Sliding:
        """What `sliding_window` says of this unit at input shape `x`."""
        return sliding_window(len(x) - 1, self.kernel, self.stride, self.padding, self.dilation)

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("TransposedConv", x, 2, 4)
        _check_groups_of(self, x)
        k, s, p, d, _ = self.sliding(x)
        extra = per_axis(self.extra, len(x) - 1, "extra")
        if any(o >= max(hop, step) for o, hop, step in zip(extra, s, d, strict=True)):
            raise ShapeError(
                f"TransposedConv: extra {self.extra} is not smaller than stride {s} or dilation {d}"
            )
        if any(before != after for before, after in p):
            raise ShapeError(f"TransposedConv pads both sides alike, got {p}; use an odd kernel")
        axes = zip(x[1:], k, s, p, d, extra, strict=True)
        y = (self.width, *[spread(*axis) for axis in axes])
        if any(isinstance(n, int) and n < 1 for n in y):
            raise ShapeError(f"TransposedConv makes nothing of {show(x)}: padding {p} eats it all")
        return y

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        weights = x[0] * prod(self.sliding(x)[0]) * (self.width // self.groups)
        return Cost(weights + (self.width if self.bias else 0), weights * prod(x[1:]))

    def window(self, x: Shape) -> Window:
        k, s, p, d, _ = self.sliding(x)
        return tuple(_spreading(*axis) for axis in zip(k, s, p, d, strict=True))

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        (x,) = xs
        k, s, p, d, _ = self.sliding(x)
        kind: Any = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[len(x) - 2]
        return kind(
            x[0], self.width, k, s, tuple(before for before, _ in p),
            per_axis(self.extra, len(x) - 1, "extra"), self.groups, self.bias, d,
        )  # fmt: skip


def _spreading(k: int, s: int, pad: tuple[int, int], d: int) -> Taps:
    """Output i is reached from inputs m with i + p = m s + d t for some tap t < k."""
    reach = list[tuple[int, int]]()
    steps = set[int]()
    for phase in range(s):
        at = sorted(
            (phase + pad[0] - d * t) // s for t in range(k) if (phase + pad[0] - d * t) % s == 0
        )
        reach.append((at[0], len(at)) if at else (0, 0))
        steps.update(b - a for a, b in pairwise(at))
    return Taps(tuple(reach), max(steps, default=1), 1)


def _divides(groups: object, size: object) -> bool:
    """Whether it does; symbols get the benefit of the doubt."""
    return not (isinstance(groups, int) and isinstance(size, int)) or size % groups == 0


def _check_groups(unit: Conv | TransposedConv, what: str, size: int) -> None:
    if not _divides(unit.groups, size):
        raise SpecError(f"{type(unit).__name__}: groups {unit.groups} do not divide {what} {size}")


def _check_groups_of(unit: Conv | TransposedConv, x: Shape) -> None:
    if not _divides(unit.groups, x[0]):
        raise ShapeError(
            f"{type(unit).__name__}: groups {unit.groups} do not divide the {x[0]} input channels"
        )
