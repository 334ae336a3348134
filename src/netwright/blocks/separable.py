"""Convolutions cut into cheaper ones: across channels and positions, an axis at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from netwright.blocks.conv import ConvNormAct
from netwright.core.check import is_choice
from netwright.core.shape import Axes, Padding, Shape, need_rank
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.errors import ShapeError
from netwright.units.activation import ReLU, ReLU6
from netwright.units.conv import Conv
from netwright.units.norm import BatchNorm

__all__ = ["FlattenedConv", "SeparableConv", "SpatiallySeparableConv", "along"]

AXES = ("temporal", "vertical", "horizontal")

Step = TypeVar("Step", Conv, ConvNormAct)


def along(spec: Step, axes: tuple[int, ...], x: Shape) -> Step:
    """The part of a convolution along some axes of `x`, the first after the channels being 0:
    kernel and stride are 1 along the others.

    >>> tall = along(Conv(8, 3, stride=2), (0,), (4, 9, 9))
    >>> tall.kernel, tall.stride, tall.padding
    ((3, 1), (2, 1), ((1, 1), (0, 0)))
    """
    conv = spec.conv() if isinstance(spec, ConvNormAct) else spec
    k, s, p, d, _ = conv.sliding(x)
    inside = [axis in axes for axis in range(len(k))]
    return replace(
        spec,
        kernel=tuple(n if own else 1 for n, own in zip(k, inside, strict=True)),
        stride=tuple(n if own else 1 for n, own in zip(s, inside, strict=True)),
        padding=tuple(pair if own else (0, 0) for pair, own in zip(p, inside, strict=True)),
        dilation=tuple(n if own else 1 for n, own in zip(d, inside, strict=True)),
    )


def _chained(parts: dict[str, ConvNormAct], between: bool) -> Sequential:
    """The parts in a row; unless `between`, only the last keeps norm, activation and bias."""
    last = list(parts)[-1]
    steps = {
        name: part if between or name == last else replace(part.conv(), bias=False)
        for name, part in parts.items()
    }
    return Sequential(**steps)


class SeparableConv(Block):
    """A depthwise and a 1x1 convolution: (C, H, W) -> (width, H', W').

    Depthwise comes first in MobileNet (Howard et al. 2017, arXiv:1704.04861, section 3.1), with
    norm and activation between; pointwise in the Inception reading of Xception (Chollet 2016,
    arXiv:1610.02357), without. 1/width + 1/k^2 of the MACs of the convolution it stands for.

    width: channels of the output
    kernel: taps of the depthwise kernels; one number, or one an axis
    stride: positions from one window to the next
    padding: positions added around the map, or a word, as of `Conv`
    dilation: positions from one tap to the next
    first: which comes first: "depthwise" or "pointwise"
    between: whether norm and activation follow both, or the second alone
    norm: the normalisation; None leaves it out
    act: the activation; None leaves it out

    >>> SeparableConv(64).expand((32, 112, 112)).names
    ('depthwise', 'pointwise')
    """

    width: int
    kernel: Axes = 3
    stride: Axes = 1
    padding: Padding = "same"
    dilation: Axes = 1
    first: str = "depthwise"
    between: bool = True
    norm: Spec | None = BatchNorm()
    act: Spec | None = ReLU6()

    def check(self) -> None:
        is_choice(self, "first", ("depthwise", "pointwise"))
        self._depthwise(self.width)

    def _depthwise(self, channels: int) -> ConvNormAct:
        return ConvNormAct(
            channels, self.kernel, self.stride, self.padding, self.dilation, channels, self.norm,
            self.act,
        )  # fmt: skip

    def expand(self, x: Shape) -> Spec:
        pointwise = ConvNormAct(self.width, 1, norm=self.norm, act=self.act)
        if self.first == "pointwise":
            parts = {"pointwise": pointwise, "depthwise": self._depthwise(self.width)}
        else:
            parts = {"depthwise": self._depthwise(x[0]), "pointwise": pointwise}
        return _chained(parts, self.between)


class SpatiallySeparableConv(Block):
    """A convolution an axis, k x 1 and then 1 x k: (C, H, W) -> (width, H', W').

    2 k weights for k^2 (Szegedy et al. 2015, arXiv:1512.00567, section 3.2); three
    convolutions for (C, T, H, W). `first` is the axis that comes first: 1 for 1 x k and then
    k x 1. `norm` and `act` follow all of them, or the last alone where not `between`.

    >>> SpatiallySeparableConv(64, 7, first=1).expand((64, 17, 17)).names
    ('horizontal', 'vertical')
    """

    width: int
    kernel: Axes = 3
    stride: Axes = 1
    padding: Padding = "same"
    dilation: Axes = 1
    first: int = 0
    between: bool = True
    norm: Spec | None = BatchNorm()
    act: Spec | None = ReLU()

    def check(self) -> None:
        self._whole()

    def _whole(self) -> ConvNormAct:
        return ConvNormAct(
            self.width, self.kernel, self.stride, self.padding, self.dilation, 1, self.norm,
            self.act,
        )  # fmt: skip

    def expand(self, x: Shape) -> Spec:
        need_rank("SpatiallySeparableConv", x, 3, 4)
        rank = len(x) - 1
        if self.first >= rank:
            raise ShapeError(f"SpatiallySeparableConv: first is axis {self.first}, the input "
                             f"has {rank}, counted from 0")  # fmt: skip
        order = sorted(range(rank), key=lambda axis: (axis != self.first, axis))
        parts = {AXES[axis - rank]: along(self._whole(), (axis,), x) for axis in order}
        return _chained(parts, self.between)


class FlattenedConv(Block):
    """Convolutions of one dimension in a row, across channels, down and along: (C, H, W) ->
    (width, H', W').

    Together they are a convolution whose kernels are products a_c v_i h_j: C + K + L weights
    a kernel for C K L (Jin et al. 2014, arXiv:1412.5474). No activation between; the last
    one has the bias. Over time too for (C, T, H, W).

    >>> FlattenedConv(64).expand((32, 28, 28)).names
    ('lateral', 'vertical', 'horizontal')
    """

    width: int
    kernel: Axes = 3
    stride: Axes = 1
    padding: Padding = "same"
    dilation: Axes = 1
    bias: bool = True

    def check(self) -> None:
        self._depthwise()

    def _depthwise(self) -> Conv:
        return Conv(
            self.width, self.kernel, self.stride, self.padding, self.dilation, self.width,
            self.bias,
        )  # fmt: skip

    def expand(self, x: Shape) -> Spec:
        need_rank("FlattenedConv", x, 2, 4)
        rank = len(x) - 1
        depthwise = self._depthwise()
        parts = {AXES[axis - rank]: along(depthwise, (axis,), x) for axis in range(rank)}
        last = AXES[-1]
        parts = {n: part if n == last else replace(part, bias=False) for n, part in parts.items()}
        return Sequential(lateral=Conv(self.width, 1, bias=False), **parts)
