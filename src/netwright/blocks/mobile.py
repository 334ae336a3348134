"""Blocks of nets for small devices: inverted residuals."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.core.check import is_count
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Sum
from netwright.units.activation import Identity, ReLU6

__all__ = ["InvertedResidual"]


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
