"""Blocks of nets for small devices: inverted residuals."""

from __future__ import annotations

from netwright.blocks.attention import squeeze_excite
from netwright.blocks.conv import ConvNormAct
from netwright.core.check import is_choice, is_count, is_fraction, is_padding
from netwright.core.shape import Padding, Shape, narrowed
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Sum
from netwright.units.activation import HardSigmoid, Identity, ReLU, ReLU6, Sigmoid, SiLU
from netwright.units.norm import BatchNorm
from netwright.units.regularise import DropPath

__all__ = ["FusedMBConv", "InvertedResidual", "MBConv", "MobileConv", "MobileNetV3Block", "rounded"]


def rounded(width: float, multiple: int = 8) -> int:
    """The nearest multiple, and the next one where that is below 90% of `width`.

    >>> rounded(32 * 0.75), rounded(18.2), rounded(11), rounded(18, 4)
    (24, 24, 16, 20)
    """
    near = max(multiple, int(width + multiple / 2) // multiple * multiple)
    return near if near >= 0.9 * width else near + multiple


class MobileConv(Block):
    """A k x k convolution in one of four forms, each cheaper to make wide: (C, H, W) ->
    (width, H / stride, W / stride) (Sandler et al. 2018, arXiv:1801.04381, figure 2).

    "regular"; "separable", depthwise and 1x1, ReLU6 behind both; "linear", the same without
    ReLU6 at its narrow end; "expanded", a 1x1 to `expansion` C channels before that.

    >>> MobileConv(24, form="expanded").expand((24, 56, 56)).names
    ('expand', 'depthwise', 'project')
    """

    width: int
    stride: int = 1
    form: str = "separable"
    expansion: int = 6
    kernel: int = 3

    def check(self) -> None:
        is_count(self, "expansion")
        is_choice(self, "form", ("regular", "separable", "linear", "expanded"))

    def expand(self, x: Shape) -> Spec:
        if self.form == "regular":
            return ConvNormAct(self.width, self.kernel, self.stride, act=ReLU6())
        wide = x[0] * self.expansion if self.form == "expanded" else x[0]
        expand = {"expand": ConvNormAct(wide, 1, act=ReLU6())} if self.form == "expanded" else {}
        return Sequential(
            **expand,
            depthwise=ConvNormAct(wide, self.kernel, self.stride, groups=wide, act=ReLU6()),
            project=ConvNormAct(self.width, 1, act=ReLU6() if self.form == "separable" else None),
        )


class _Expanded(Block, abstract=True):
    """The fields that inverted residuals share; `drop` is the rate at which the body is dropped in
    training, where it has a shortcut.
    """

    width: int
    stride: int = 1
    expansion: int = 6
    kernel: int = 3
    drop: float = 0.0
    norm: Spec = BatchNorm()

    def check(self) -> None:
        is_count(self, "expansion")
        is_fraction(self, "drop")


class InvertedResidual(_Expanded):
    """1x1 expands, depthwise k x k convolves, 1x1 projects without activation; a shortcut joins
    the narrow ends where the shape stays: (C, H, W) -> (width, H / stride, W / stride).

    (Sandler et al. 2018, arXiv:1801.04381, table 1.) An `expansion` of 1 needs no first
    convolution; `padding` is of the depthwise one.

    >>> InvertedResidual(24).expand((24, 56, 56)).names
    ('body', 'shortcut')
    """

    padding: Padding = "same"

    def check(self) -> None:
        super().check()
        is_padding(self, tight=True)

    def expand(self, x: Shape) -> Spec:
        hidden = x[0] * self.expansion
        alike = self.padding == "tight" and self.stride == 1  # then it adds what `same` does
        depthwise = ConvNormAct(
            hidden, self.kernel, self.stride, "same" if alike else self.padding, groups=hidden,
            norm=self.norm, act=ReLU6(),
        )  # fmt: skip
        return _inverted(x, self.width, depthwise, drop=self.drop)


class MobileNetV3Block(Block):
    """An inverted residual of `hidden` channels, with squeeze-excitation to hidden / 4 (and a
    hard sigmoid) where `se`: (C, H, W) -> (width, H / stride, W / stride) (Howard et al. 2019,
    arXiv:1905.02244, figure 4).

    >>> MobileNetV3Block(24, 72, se=True).expand((24, 56, 56))["body"].names
    ('expand', 'depthwise', 'se', 'project')
    """

    width: int
    hidden: int
    kernel: int = 3
    stride: int = 1
    se: bool = False
    act: Spec = ReLU()
    norm: Spec = BatchNorm()

    def check(self) -> None:
        is_count(self, "hidden")

    def expand(self, x: Shape) -> Spec:
        hidden = self.hidden
        depthwise = ConvNormAct(
            hidden, self.kernel, self.stride, groups=hidden, norm=self.norm, act=self.act
        )
        squeezed = rounded(hidden // 4)
        se = squeeze_excite(hidden, squeezed, ReLU(), HardSigmoid()) if self.se else None
        return _inverted(x, self.width, depthwise, se)


class MBConv(_Expanded):
    """An inverted residual with squeeze-excitation to C / 4 and SiLU throughout: (C, H, W) ->
    (width, H / stride, W / stride) (Tan & Le 2019, arXiv:1905.11946, section 4).

    width: channels of the output
    stride: that of the depthwise convolution
    expansion: channels inside over those of the input
    kernel: taps of the depthwise kernels
    drop: how often training leaves the body out, where there is a shortcut
    norm: the normalisation

    >>> MBConv(24, drop=0.1).expand((24, 56, 56))["body"].names
    ('expand', 'depthwise', 'se', 'project', 'drop')
    """

    def expand(self, x: Shape) -> Spec:
        hidden = x[0] * self.expansion
        depthwise = ConvNormAct(
            hidden, self.kernel, self.stride, groups=hidden, norm=self.norm, act=SiLU()
        )
        se = squeeze_excite(hidden, narrowed(x[0], 4), SiLU(), Sigmoid())
        return _inverted(x, self.width, depthwise, se, self.drop)


class FusedMBConv(_Expanded):
    """`MBConv` with one k x k convolution for the expanding and the depthwise one, without
    squeeze-excitation: (C, H, W) -> (width, H / stride, W / stride) (Tan & Le 2021,
    arXiv:2104.00298, figure 2).

    An `expansion` of 1 is that convolution alone, to `width` channels.

    >>> FusedMBConv(24).expand((24, 56, 56))["body"].names
    ('expand', 'project')
    """

    expansion: int = 4

    def expand(self, x: Shape) -> Spec:
        hidden = x[0] * self.expansion if self.expansion > 1 else self.width
        body = Sequential(
            expand=ConvNormAct(hidden, self.kernel, self.stride, norm=self.norm, act=SiLU())
        )
        if self.expansion > 1:
            body = body.put(project=ConvNormAct(self.width, 1, norm=self.norm, act=None))
        return _beside_shortcut(x, body, self.width, self.stride, self.drop)


def _inverted(
    x: Shape, width: int, depthwise: ConvNormAct, se: Spec | None = None, drop: float = 0.0
) -> Spec:
    """1x1 to as many channels as the depthwise convolution has, that, `se`, 1x1 to `width`."""
    hidden, norm = depthwise.width, depthwise.norm
    parts = {
        "expand": ConvNormAct(hidden, 1, norm=norm, act=depthwise.act) if hidden != x[0] else None,
        "depthwise": depthwise,
        "se": se,
        "project": ConvNormAct(width, 1, norm=norm, act=None),
    }
    body = Sequential(**{name: part for name, part in parts.items() if part is not None})
    return _beside_shortcut(x, body, width, depthwise.stride, drop)


def _beside_shortcut(x: Shape, body: Sequential, width: int, stride: object, drop: float) -> Spec:
    """The body, with a shortcut where the shape stays; there it may be dropped."""
    if stride != 1 or x[0] != width:
        return Sequential(body=body)
    return Sum(body=body.put(drop=DropPath(drop)) if drop else body, shortcut=Identity())
