"""The bottleneck of SWideRNets (Chen et al. 2020, arXiv:2011.11675)."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm, conv_norm_act
from netwright.blocks.resnet import Shortcut, residual
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential

__all__ = ["WideningBottleneck"]


class WideningBottleneck(Block):
    """1x1 to `width` channels, 3x3 to twice, 1x1 to four times as many, beside a shortcut:
    (C, H, W) -> (4 width, H / stride, W / stride), as at the end of a Wide-ResNet-38 (Wu et al.
    2016, arXiv:1611.10080). `attention` ends the body.

    >>> WideningBottleneck(512).expand((2048, 7, 7))["residual"]["body"].names
    ('reduce', 'conv', 'restore')
    """

    width: int
    stride: int = 1
    attention: Spec | None = None

    def expand(self, x: Shape) -> Spec:
        body = Sequential(
            reduce=conv_norm_act(self.width, 1),
            conv=conv_norm_act(2 * self.width, 3, self.stride),
            restore=conv_norm(4 * self.width, 1),
        )
        return residual(body, Shortcut(4 * self.width, self.stride), self.attention)
