"""ConvNeXt blocks (Liu et al. 2022, arXiv:2201.03545)."""

from __future__ import annotations

from netwright.blocks.conv import DepthwiseConv
from netwright.core.check import is_count, is_fraction
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Sum
from netwright.units.activation import GELU, Identity
from netwright.units.channels import LayerScale
from netwright.units.conv import Conv
from netwright.units.norm import ChannelLayerNorm
from netwright.units.regularise import DropPath

__all__ = ["ConvNextBlock"]


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
        is_count(self, "kernel", "expansion")
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
