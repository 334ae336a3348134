"""The block of SENet-154 (Hu et al. 2017, arXiv:1709.01507)."""

from __future__ import annotations

from netwright.blocks.attention import SqueezeExcite
from netwright.blocks.conv import conv_norm, conv_norm_act
from netwright.blocks.resnet import residual
from netwright.core.check import is_count
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.units.activation import Identity

__all__ = ["SENetBottleneck"]


class SENetBottleneck(Block):
    """1x1 to 2 `width` channels, 3x3 to 4 `width` in `groups`, 1x1, squeeze-excitation, beside
    a shortcut: (C, H, W) -> (4 width, H / stride, W / stride).

    The ResNeXt block of 64x4d with half the channels in its first 1x1, and a 3x3 convolution
    on the shortcut where the stride is not 1 (appendix "Details of SENet-154").

    >>> SENetBottleneck(64).expand((128, 56, 56))["residual"]["body"].names
    ('reduce', 'conv', 'restore', 'attention')
    """

    width: int
    stride: int = 1
    groups: int = 64
    reduction: int = 16

    def check(self) -> None:
        is_count(self, "reduction")

    def expand(self, x: Shape) -> Spec:
        out = 4 * self.width
        body = Sequential(
            reduce=conv_norm_act(2 * self.width, 1),
            conv=conv_norm_act(out, 3, self.stride, groups=self.groups),
            restore=conv_norm(out, 1),
        )
        kernel = 1 if self.stride == 1 else 3
        same = x[0] == out and self.stride == 1
        shortcut = Identity() if same else conv_norm(out, kernel, self.stride)
        return residual(body, shortcut, SqueezeExcite(self.reduction))
