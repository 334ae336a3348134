"""Convolution in one, two and three dimensions, and its transpose."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any

from netwright.core.check import is_padding
from netwright.core.cost import INPUT, Cost, Kept
from netwright.core.field import Taps, Window
from netwright.core.operation import Kind, Sliding
from netwright.core.shape import Axes, Padding, Shape, need_rank, per_axis, show, spread
from netwright.core.spec import Unit
from netwright.errors import ShapeError
from netwright.units.padding import check_border_of, is_border, kept_padded
from netwright.units.window import (
    GroupedConvolution,
    check_groups,
    check_groups_of,
    sliding_window,
)

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Conv", "TransposedConv"]


class Conv(GroupedConvolution):
    """Discrete cross-correlation with learnt kernels: (C, H, W) -> (width, H', W').

    One class for (C, L), (C, H, W) and (C, T, H, W). H' = floor((H + p - d(k-1) - 1) / s) + 1;
    `same` padding adds d(k-1) in all, so that H' = ceil(H / s); `tight` no more than that needs,
    as TensorFlow does, which depends on H.

    Costs (C / groups) prod(k) width + width parameters and, a position of the output,
    (C / groups) prod(k) width MACs (Dumoulin & Visin 2016, arXiv:1603.07285).
    Raises `SpecError` for impossible fields, `ShapeError` where groups do not divide C.

    width: channels of the output
    kernel: taps of a kernel; one number, or one an axis, as the next three
    stride: positions from one window to the next
    padding: positions added around the map, or a word: `same`, `valid`, `full`, `tight`
    dilation: positions from one tap to the next
    groups: parts into which the channels are cut, each with kernels of its own
    bias: whether a learnt number is added to every output channel
    border: what stands in the padding, see `netwright.units.padding`

    >>> Conv(64, 7, stride=2, padding=3).shape((3, 224, 224))
    (64, 112, 112)
    """

    border: str | float = "zeros"

    def check(self) -> None:
        super().check()
        is_border(self)

    def shape(self, *xs: Shape) -> Shape:
        y = super().shape(*xs)
        if self.border != "zeros":
            check_border_of(self, self.border, self.sliding(xs[0]).padding, xs[0])
        return y

    def sliding(self, x: Shape) -> Sliding:
        window = super().sliding(x)
        if self.border != "random":
            return window
        sums = map(sum, window.padding)
        return window._replace(padding=tuple((n // 2, n - n // 2) for n in sums))

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        weights = x[0] // self.groups * prod(self.sliding(x)[0]) * self.width
        rescaled = prod(y) if self.border == "crop" else 0
        return Cost(weights + (self.width if self.bias else 0), weights * prod(y[1:]), rescaled)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        (x,) = xs
        p = self.sliding(x).padding
        if self.border == "zeros" and all(before == after for before, after in p):
            return INPUT
        kept = kept_padded(x, p, self.border)
        return kept._replace(once=prod(y[1:])) if self.border == "crop" else kept

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        from netwright.layers import cropped_conv, padded_conv, randomly_padded_conv

        (x,) = xs
        k, s, p, d, _ = self.sliding(x)
        fields = (x[0], self.width, k, s)
        own: Any = {"crop": cropped_conv, "random": randomly_padded_conv}.get(str(self.border))
        if own is not None:
            return own[len(x) - 2](*fields, p, d, self.groups, self.bias)
        even = all(before == after for before, after in p)
        if even and self.border in ("zeros", "circular", "replicate", "reflect"):
            kind: Any = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(x) - 2]
            pad = tuple(before for before, _ in p)
            return kind(*fields, pad, d, self.groups, self.bias, padding_mode=self.border)
        return padded_conv[len(x) - 2](*fields, p, d, self.groups, self.bias, self.border)


class TransposedConv(Unit):
    """The transpose of a convolution: (C, H, W) -> (width, (H-1)s - 2p + d(k-1) + o + 1, ...).

    A kernel that the stride does not divide paints a checkerboard (Odena et al. 2016).
    Costs C (width / groups) prod(k) + width parameters and as many MACs a position of the
    *input* (bias left out).

    width: channels of the output
    kernel: taps of a kernel; one number, or one an axis
    stride: positions of the output from one input to the next
    padding: positions cut off at the border, as the convolution it transposes would add them
    extra: positions added after the end (o)
    dilation: positions from one tap to the next
    groups: parts into which the channels are cut, each with kernels of its own
    bias: whether a learnt number is added to every output channel

    >>> TransposedConv(64, 2, stride=2).shape((128, 28, 28))
    (64, 56, 56)
    """

    kind = Kind.CONVOLUTION
    keeps = INPUT

    width: int
    kernel: Axes = 2
    stride: Axes = 2
    padding: Padding = 0
    extra: Axes = 0
    dilation: Axes = 1
    groups: int = 1
    bias: bool = True

    def check(self) -> None:
        is_padding(self)
        check_groups(self, self.groups, "width", self.width)

    def sliding(self, x: Shape) -> Sliding:
        axes = (self.kernel, self.stride, self.padding, self.dilation)
        return sliding_window(len(x) - 1, *axes, self.groups)

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("TransposedConv", x, 2, 4)
        check_groups_of(self, self.groups, x)
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
