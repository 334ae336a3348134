"""Residual blocks with norm and activation first (He et al. 2016, arXiv:1603.05027)."""

from __future__ import annotations

from netwright.blocks.resnet import summed, weighed
from netwright.core.check import is_choice, is_count, is_fraction
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.units.activation import Identity, ReLU
from netwright.units.conv import Conv
from netwright.units.norm import BatchNorm
from netwright.units.regularise import Dropout

__all__ = ["PreBasicBlock", "PreBottleneck", "norm_act_conv"]


class PreBasicBlock(Block):
    """x + F(x), F twice batch norm, ReLU, 3x3 convolution: (C, H, W) ->
    (width, H / stride, W / stride).

    Where the shape changes, a 1x1 convolution projects what the first ReLU gives. Dropout is
    that of wide nets (Zagoruyko & Komodakis 2016, arXiv:1605.07146).

    width: channels of the output
    stride: that of the first convolution and the shortcut
    dropout: the rate of zeros between the convolutions
    attention: a block at the end of the body, such as `SqueezeExcite()`, or None
    """

    width: int
    stride: int = 1
    dropout: float = 0.0
    attention: Spec | None = None

    def check(self) -> None:
        is_fraction(self, "dropout")

    def expand(self, x: Shape) -> Spec:
        second = norm_act_conv(self.width, 3)
        if self.dropout:
            conv = {"drop": Dropout(self.dropout), "conv": second["conv"]}
            second = Sequential(norm=BatchNorm(), act=ReLU(), **conv)
        body = Sequential(conv1=Conv(self.width, 3, self.stride, bias=False), conv2=second)
        return preactivated(x, body, self.width, self.stride, self.attention)


class PreBottleneck(Block):
    """x + F(x), F thrice batch norm, ReLU and convolution, 1x1, 3x3 and 1x1: (C, H, W) ->
    (width expansion, H / stride, W / stride).

    The shortcut is that of `PreBasicBlock`.

    width: channels that the first 1x1 reduces to
    stride: that of the block, in the convolution that `stride_in` names
    expansion: channels of the output over `width`
    attention: a block at the end of the body, such as `SqueezeExcite()`, or None
    stride_in: "3x3", as in timm, or "1x1"
    """

    width: int
    stride: int = 1
    expansion: int = 4
    attention: Spec | None = None
    stride_in: str = "3x3"

    def check(self) -> None:
        is_count(self, "expansion")
        is_choice(self, "stride_in", ("3x3", "1x1"))

    def expand(self, x: Shape) -> Spec:
        first, second = (self.stride, 1) if self.stride_in == "1x1" else (1, self.stride)
        out = self.width * self.expansion
        body = Sequential(
            reduce=Conv(self.width, 1, first, bias=False),
            conv=norm_act_conv(self.width, 3, second),
            restore=norm_act_conv(out, 1),
        )
        return preactivated(x, body, out, self.stride, self.attention)


def norm_act_conv(width: int, kernel: int = 3, stride: int = 1) -> Sequential:
    """Batch norm, ReLU, convolution."""
    conv = Conv(width, kernel, stride, bias=False)
    return Sequential(norm=BatchNorm(), act=ReLU(), conv=conv)


def preactivated(
    x: Shape, body: Sequential, width: int, stride: int, attention: Spec | None = None
) -> Spec:
    """Batch norm and ReLU before the body alone, or before body and projection where the
    shape changes.
    """
    body = weighed(body, attention)
    first: dict[str, Spec] = {"norm": BatchNorm(), "act": ReLU()}
    if x[0] == width and stride == 1:
        return summed(Sequential(**first, body=body), Identity(), attention)
    projection = Conv(width, 1, stride, bias=False)
    return Sequential(**first, residual=summed(body, projection, attention))
