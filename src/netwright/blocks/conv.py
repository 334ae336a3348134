"""A convolution with what follows it: the brick of nearly every net."""

from __future__ import annotations

from dataclasses import replace

from netwright.core.check import is_count
from netwright.core.shape import Axes, Padding, Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.errors import ShapeError
from netwright.units.activation import ReLU
from netwright.units.conv import Conv
from netwright.units.norm import BatchNorm

__all__ = [
    "ConvNormAct",
    "DepthwiseConv",
    "DilatedConv",
    "NamedConv",
    "PointwiseConv",
    "conv_norm",
    "conv_norm_act",
]


class ConvNormAct(Block):
    """Convolution, normalisation, activation: (C, H, W) -> (width, H', W').

    The convolution has a bias where no normalisation follows it.

    width: channels of the output
    kernel: taps of a kernel; one number, or one an axis
    stride: positions from one window to the next
    padding: positions added around the map, or a word, as of `Conv`
    dilation: positions from one tap to the next
    groups: parts into which the channels are cut, each with kernels of its own
    norm: the normalisation; None leaves it out
    act: the activation; None leaves it out
    border: what stands in the padding, see `netwright.units.padding`
    bias: whether the convolution has one although a normalisation follows

    >>> ConvNormAct(64, 7, stride=2).expand((3, 224, 224)).names
    ('conv', 'norm', 'act')
    """

    width: int
    kernel: Axes = 3
    stride: Axes = 1
    padding: Padding = "same"
    dilation: Axes = 1
    groups: int = 1
    norm: Spec | None = BatchNorm()
    act: Spec | None = ReLU()
    border: str | float = "zeros"
    bias: bool = False

    def check(self) -> None:
        self.conv()

    def conv(self) -> Conv:
        """The convolution alone."""
        return Conv(
            self.width, self.kernel, self.stride, self.padding, self.dilation, self.groups,
            bias=self.bias or self.norm is None, border=self.border,
        )  # fmt: skip

    def expand(self, x: Shape) -> Spec:
        parts = {"conv": self.conv(), "norm": self.norm, "act": self.act}
        return Sequential(**{name: part for name, part in parts.items() if part is not None})


def conv_norm_act(width: int, kernel: Axes = 3, stride: Axes = 1, groups: int = 1) -> ConvNormAct:
    """Convolution, batch norm, ReLU."""
    return ConvNormAct(width, kernel, stride, groups=groups)


def conv_norm(width: int, kernel: Axes = 3, stride: Axes = 1, groups: int = 1) -> ConvNormAct:
    """Convolution and batch norm."""
    return ConvNormAct(width, kernel, stride, groups=groups, act=None)


class DepthwiseConv(Block):
    """A kernel of its own for every channel: (C, H, W) -> (C multiplier, H', W').

    C multiplier prod(k) parameters (Sifre & Mallat 2014; Howard et al. 2017,
    arXiv:1704.04861).

    >>> DepthwiseConv(3, bias=False).expand((32, 8, 8))
    Conv(32, groups=32, bias=False)
    """

    kernel: Axes = 3
    stride: Axes = 1
    padding: Padding = "same"
    dilation: Axes = 1
    multiplier: int = 1
    bias: bool = True
    border: str | float = "zeros"

    def check(self) -> None:
        is_count(self, "multiplier")
        self.conv(1)

    def conv(self, channels: int) -> Conv:
        """The convolution for so many channels."""
        return Conv(
            channels * self.multiplier, self.kernel, self.stride, self.padding, self.dilation,
            channels, self.bias, self.border,
        )  # fmt: skip

    def expand(self, x: Shape) -> Spec:
        if len(x) < 2:
            raise ShapeError(f"DepthwiseConv takes a map such as (C, H, W), got {x}")
        return self.conv(x[0])


class NamedConv(Block, abstract=True):
    """A convolution that goes by a name of its own; its fields are some of `Conv`'s."""

    def check(self) -> None:
        self.conv()

    def conv(self) -> Conv:
        """The convolution alone."""
        return Conv(**dict(zip(self.field_names, self.values(), strict=True)))

    def expand(self, x: Shape) -> Spec:
        return self.conv()


class PointwiseConv(NamedConv):
    """A 1x1 convolution, a dense unit at every position: (C, H, W) -> (width, H', W').

    C width parameters (Lin et al. 2013, arXiv:1312.4400).

    >>> PointwiseConv(64).expand((32, 8, 8))
    Conv(64, kernel=1)
    """

    width: int
    stride: Axes = 1
    groups: int = 1
    bias: bool = True

    def conv(self) -> Conv:
        return replace(super().conv(), kernel=1)


class DilatedConv(NamedConv):
    """A convolution whose taps lie `dilation` positions apart: (C, H, W) -> (width, H', W').

    It reaches over dilation (k - 1) + 1 positions at the cost of k (Yu & Koltun 2015,
    arXiv:1511.07122).

    >>> DilatedConv(64, dilation=4).expand((32, 8, 8))
    Conv(64, dilation=4)
    """

    width: int
    kernel: Axes = 3
    dilation: Axes = 2
    stride: Axes = 1
    padding: Padding = "same"
    groups: int = 1
    bias: bool = True
