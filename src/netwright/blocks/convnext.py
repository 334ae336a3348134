"""ConvNeXt blocks (Liu et al. 2022, arXiv:2201.03545)."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct, DepthwiseConv
from netwright.core.check import is_choice, is_count, is_fraction
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Sum
from netwright.units.activation import GELU, Identity, ReLU
from netwright.units.channels import LayerScale
from netwright.units.conv import Conv
from netwright.units.norm import BatchNorm, ChannelLayerNorm
from netwright.units.regularise import DropPath

__all__ = ["ConvNextBlock", "InvertedBottleneck"]


class ConvNextBlock(Block):
    """Depthwise 7x7, layer norm, 1x1 to `expansion` C channels, GELU, 1x1 back, layer scale, x
    added: (C, H, W) -> (C, H, W) (figure 4).

    `drop` is the rate at which the body is dropped in training.

    >>> ConvNextBlock().expand((96, 56, 56))["body"].names
    ('depthwise', 'norm', 'expand', 'act', 'project', 'scale')
    """

    kernel: int = 7
    expansion: int = 4
    drop: float = 0.0

    def check(self) -> None:
        is_count(self, "expansion")
        is_fraction(self, "drop")

    def expand(self, x: Shape) -> Spec:
        drop = {"drop": DropPath(self.drop)} if self.drop else {}
        body = Sequential(
            depthwise=DepthwiseConv(self.kernel),
            norm=ChannelLayerNorm(eps=1e-6),
            expand=Conv(x[0] * self.expansion, 1),
            act=GELU(),
            project=Conv(x[0], 1),
            scale=LayerScale(),
            **drop,
        )
        return Sum(body=body, shortcut=Identity())


class InvertedBottleneck(Block):
    """1x1 to 4 `width` channels, a depthwise k x k convolution, 1x1 to `width`, beside a
    shortcut: (C, H, W) -> (width, H / stride, W / stride).

    What stands between ResNet's block and ConvNeXt's (sections 2.4 to 2.6): `first` has the
    depthwise convolution before the others, on C channels. `acts` and `norms` say how many
    are left: all, or with "one" the activation between the 1x1 convolutions and the norm before
    them.

    >>> InvertedBottleneck(96).expand((96, 56, 56)).names
    ('residual', 'act')
    """

    width: int
    stride: int = 1
    kernel: int = 3
    first: bool = False
    act: Spec = ReLU()
    norm: Spec = BatchNorm()
    acts: str = "all"
    norms: str = "all"

    def check(self) -> None:
        is_choice(self, "acts", ("all", "one"))
        is_choice(self, "norms", ("all", "one"))

    def expand(self, x: Shape) -> Spec:
        norm = self.norm if self.norms == "all" else None
        act = self.act if self.acts == "all" else None
        deep = x[0] if self.first else 4 * self.width
        depthwise = ConvNormAct(
            deep, self.kernel, self.stride, groups=deep, norm=self.norm, act=act
        )
        expand = ConvNormAct(4 * self.width, 1, norm=norm, act=self.act)
        project = ConvNormAct(self.width, 1, norm=norm, act=None)
        body = (
            Sequential(depthwise=depthwise, expand=expand, project=project)
            if self.first
            else Sequential(expand=expand, depthwise=depthwise, project=project)
        )
        same = x[0] == self.width and self.stride == 1
        projection = ConvNormAct(self.width, 1, self.stride, norm=self.norm, act=None)
        total = Sum(body=body, shortcut=Identity() if same else projection)
        return Sequential(residual=total, act=act) if act else total
