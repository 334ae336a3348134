"""Blocks of pyramidal residual nets (Han et al. 2016, arXiv:1610.02915)."""

from __future__ import annotations

from netwright.blocks.preresnet import norm_act_conv
from netwright.core.check import is_count
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Sum
from netwright.units.activation import Identity
from netwright.units.conv import Conv
from netwright.units.norm import BatchNorm
from netwright.units.pool import AvgPool
from netwright.units.rearrange import PadChannels

__all__ = ["PyramidBlock", "PyramidBottleneck"]


class PyramidBlock(Block):
    """Norm, 3x3, norm, ReLU, 3x3, norm beside a shortcut padded with zeros: (C, H, W) ->
    (width, H / stride, W / stride), width at least C (figure 6d).

    No ReLU before the first convolution, none after the sum.
    """

    width: int
    stride: int = 1

    def expand(self, x: Shape) -> Spec:
        first = Conv(self.width, 3, self.stride, bias=False)
        return _padded(x, first, {"conv2": norm_act_conv(self.width)}, self.width, self.stride)


class PyramidBottleneck(Block):
    """The same of 1x1, 3x3 and 1x1: (C, H, W) -> (width expansion, H / stride, W / stride)."""

    width: int
    stride: int = 1
    expansion: int = 4

    def check(self) -> None:
        is_count(self, "expansion")

    def expand(self, x: Shape) -> Spec:
        out = self.width * self.expansion
        rest = {
            "conv2": norm_act_conv(self.width, 3, self.stride),
            "conv3": norm_act_conv(out, 1),
        }
        return _padded(x, Conv(self.width, 1, bias=False), rest, out, self.stride)


def _padded(x: Shape, first: Conv, rest: dict[str, Sequential], width: int, stride: int) -> Sum:
    body = Sequential(norm1=BatchNorm(), conv1=first, **rest, norm=BatchNorm())
    shortcut: dict[str, Spec] = {}
    if stride > 1:
        shortcut["pool"] = AvgPool(2, stride, ceil=True)
    if x[0] != width:
        shortcut["pad"] = PadChannels(width)
    return Sum(body=body, shortcut=Sequential(**shortcut) if shortcut else Identity())
