"""Residual blocks (He et al. 2015, arXiv:1512.03385)."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct, conv_norm, conv_norm_act
from netwright.core.check import is_choice, is_count, is_fraction, is_number
from netwright.core.shape import Axes, Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Fork, Sequential, Sum
from netwright.units.activation import Identity, ReLU
from netwright.units.rearrange import PadChannels, Subsample
from netwright.units.regularise import DropPath

__all__ = ["PLACES", "BasicBlock", "Bottleneck", "Shortcut", "residual", "summed", "weighed"]

PLACES = ("standard", "pre", "post", "identity")
"""Where attention can stand in a residual block."""


class Shortcut(Block):
    """What is added to the body: x, or x brought to (width, H / stride, W / stride).

    `option` A sub-samples and pads with channels of zeros, B projects by a 1x1 convolution
    where the shape changes, C projects always (He et al. 2015, section 4.1).

    width: channels of the output
    stride: positions from one that is kept to the next
    option: "A", "B" or "C"
    """

    width: int
    stride: Axes = 1
    option: str = "B"

    def check(self) -> None:
        is_choice(self, "option", ("A", "B", "C"))

    def expand(self, x: Shape) -> Spec:
        if self.option != "C" and x[0] == self.width and self.stride == 1:
            return Identity()
        if self.option == "A":
            return Sequential(subsample=Subsample(self.stride), pad=PadChannels(self.width))
        return conv_norm(self.width, 1, self.stride)


class BasicBlock(Block):
    """Two 3x3 convolutions beside a shortcut: (C, H, W) -> (width, H / stride, W / stride).

    Attention stands at the end of the body ("standard"), before it ("pre"), behind the sum and
    its ReLU ("post"), or on the shortcut ("identity") (Hu et al. 2017, arXiv:1709.01507,
    figure 5).

    width: channels of the output
    stride: that of the first convolution and the shortcut
    shortcut: the option of `Shortcut`
    attention: a block that weighs what the body gives, such as `SqueezeExcite()`, or None
    place: where it stands: "standard", "pre", "post" or "identity"
    drop: how often training leaves the body out (stochastic depth)
    """

    width: int
    stride: int = 1
    shortcut: str = "B"
    attention: Spec | None = None
    place: str = "standard"
    drop: float = 0.0

    def check(self) -> None:
        is_choice(self, "place", PLACES)
        is_fraction(self, "drop")
        Shortcut(self.width, self.stride, self.shortcut)

    def expand(self, x: Shape) -> Spec:
        body = Sequential(
            conv1=conv_norm_act(self.width, 3, self.stride),
            conv2=conv_norm(self.width, 3),
        )
        shortcut = Shortcut(self.width, self.stride, self.shortcut)
        return residual(body, shortcut, self.attention, self.place, self.drop)


class Bottleneck(Block):
    """1x1 reduces, 3x3 convolves, 1x1 restores, beside a shortcut:
    (C, H, W) -> (width expansion, H / stride, W / stride).

    The stride sits in the 3x3, as in torchvision and timm; the paper has it in the first 1x1.
    `widen` 2 and `groups` 32 are a 32x4d ResNeXt's (Xie et al. 2016, arXiv:1611.05431).

    width: channels that the first 1x1 reduces to
    stride: that of the block, in the convolution that `stride_in` names
    groups: parts into which the channels of the 3x3 are cut
    expansion: channels of the output over `width`
    shortcut: the option of `Shortcut`
    attention: a block that weighs what the body gives, such as `SqueezeExcite()`, or None
    place: where it stands, as in `BasicBlock`
    stride_in: "3x3" or "1x1"
    widen: channels of the 3x3 over `width`
    drop: how often training leaves the body out (stochastic depth)
    dilation: positions from one tap of the 3x3 to the next

    >>> Bottleneck(64).expand((256, 56, 56)).names
    ('residual', 'act')
    """

    width: int
    stride: int = 1
    groups: int = 1
    expansion: int = 4
    shortcut: str = "B"
    attention: Spec | None = None
    place: str = "standard"
    stride_in: str = "3x3"
    widen: float = 1.0
    drop: float = 0.0
    dilation: int = 1

    def check(self) -> None:
        is_count(self, "expansion")
        is_choice(self, "place", PLACES)
        is_number(self, "widen", above=0)
        is_fraction(self, "drop")
        is_choice(self, "stride_in", ("3x3", "1x1"))
        Shortcut(self.width, self.stride, self.shortcut)

    def expand(self, x: Shape) -> Spec:
        first, second = (self.stride, 1) if self.stride_in == "1x1" else (1, self.stride)
        out = self.width * self.expansion
        inner = self.width if self.widen == 1 else int(self.width * self.widen)
        body = Sequential(
            reduce=conv_norm_act(inner, 1, first),
            conv=ConvNormAct(inner, 3, second, groups=self.groups, dilation=self.dilation),
            restore=conv_norm(out, 1),
        )
        shortcut = Shortcut(out, self.stride, self.shortcut)
        return residual(body, shortcut, self.attention, self.place, self.drop)


def residual(
    body: Sequential,
    shortcut: Spec,
    attention: Spec | None = None,
    place: str = "standard",
    drop: float = 0.0,
) -> Sequential:
    """ReLU(body + shortcut), with attention at one of `PLACES` and stochastic depth at the
    body's end if asked.
    """
    weigh = {"attention": attention} if attention else {}
    if place == "pre":
        body = Sequential(**weigh, **dict(body.parts))
    elif place == "standard":
        body = weighed(body, attention)
    elif place == "identity" and attention:
        shortcut = Sequential(shortcut=shortcut, **weigh)
    if drop:
        body = body.put(drop=DropPath(drop))
    after = weigh if place == "post" else {}
    return Sequential(residual=summed(body, shortcut, attention), act=ReLU(), **after)


def weighed(body: Sequential, attention: Spec | None) -> Sequential:
    """The body with attention at its end; attention that wants the shortcut too waits for
    `summed`.
    """
    return body if attention is None or _competes(attention) else body.put(attention=attention)


def summed(body: Spec, shortcut: Spec, attention: Spec | None) -> Spec:
    """Body + shortcut; attention of two inputs, such as `CompetitiveExcite`, makes the sum."""
    if attention and _competes(attention):
        return Sequential(both=Fork(body=body, shortcut=shortcut), sum=attention)
    return Sum(body=body, shortcut=shortcut)


def _competes(attention: Spec) -> bool:
    return isinstance(attention, Block) and attention.joins
