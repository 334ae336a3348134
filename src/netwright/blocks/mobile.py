"""Blocks of nets for small devices: depthwise separable convolutions, inverted residuals."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.core.check import is_count
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Sum
from netwright.units.activation import Identity, ReLU6

__all__ = ["InvertedResidual", "SeparableConv"]


class SeparableConv(Block):
    """A depthwise and a 1x1 convolution, each with batch norm and ReLU6: (C, H, W) ->
    (width, H / stride, W / stride).

    1/width + 1/k^2 of the MACs of the convolution it stands for (Howard et al. 2017,
    arXiv:1704.04861, section 3.1).

    >>> SeparableConv(64).expand((32, 112, 112)).names
    ('depthwise', 'pointwise')
    """

    width: int
    kernel: int = 3
    stride: int = 1

    def check(self) -> None:
        is_count(self, "width", "kernel", "stride")

    def expand(self, x: Shape) -> Spec:
        return Sequential(
            depthwise=ConvNormAct(x[0], self.kernel, self.stride, groups=x[0], act=ReLU6()),
            pointwise=ConvNormAct(self.width, 1, act=ReLU6()),
        )


class InvertedResidual(Block):
    """1x1 expands, depthwise 3x3 convolves, 1x1 projects without activation; a shortcut joins
    the narrow ends where the shape stays: (C, H, W) -> (width, H / stride, W / stride).

    (Sandler et al. 2018, arXiv:1801.04381, table 1.) An `expansion` of 1 needs no first
    convolution.

    >>> InvertedResidual(24).expand((24, 56, 56)).names
    ('body', 'shortcut')
    """

    width: int
    stride: int = 1
    expansion: int = 6
    kernel: int = 3

    def check(self) -> None:
        is_count(self, "width", "stride", "expansion", "kernel")

    def expand(self, x: Shape) -> Spec:
        hidden = x[0] * self.expansion
        expand = {"expand": ConvNormAct(hidden, 1, act=ReLU6())} if self.expansion > 1 else {}
        body = Sequential(
            **expand,
            depthwise=ConvNormAct(hidden, self.kernel, self.stride, groups=hidden, act=ReLU6()),
            project=ConvNormAct(self.width, 1, act=None),
        )
        if self.stride == 1 and x[0] == self.width:
            return Sum(body=body, shortcut=Identity())
        return Sequential(body=body)
