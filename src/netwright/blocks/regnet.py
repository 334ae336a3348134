"""The block of RegNets (Radosavovic et al. 2020, arXiv:2003.13678)."""

from __future__ import annotations

from netwright.blocks.attention import squeeze_excite
from netwright.blocks.conv import conv_norm, conv_norm_act
from netwright.blocks.resnet import Shortcut, residual
from netwright.core.check import is_count, is_fraction
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.errors import SpecError
from netwright.units.activation import ReLU, Sigmoid

__all__ = ["RegNetBlock"]


class RegNetBlock(Block):
    """A bottleneck that is not narrow: 1x1, 3x3 in groups of `group_width` channels, 1x1, all
    `width` wide, beside a shortcut: (C, H, W) -> (width, H / stride, W / stride).

    The paper's X block (figure 4); with `se` its Y block, a squeeze-excitation to se C
    channels behind the 3x3, C those of the block's input.

    width: channels of the output, and of all inside
    group_width: channels of a group of the 3x3
    stride: that of the 3x3 and the shortcut
    se: channels of the squeeze over those of the block's input; 0 leaves it out

    >>> RegNetBlock(64, 16).expand((32, 56, 56))["residual"]["body"].names
    ('reduce', 'conv', 'restore')
    """

    width: int
    group_width: int
    stride: int = 1
    se: float = 0.0

    def check(self) -> None:
        is_count(self, "group_width")
        is_fraction(self, "se")
        if self.width % self.group_width:
            raise SpecError(
                f"RegNetBlock: groups of {self.group_width} do not divide {self.width} channels"
            )

    def expand(self, x: Shape) -> Spec:
        width, groups = self.width, self.width // self.group_width
        body = Sequential(
            reduce=conv_norm_act(width, 1),
            conv=conv_norm_act(width, 3, self.stride, groups),
        )
        if self.se:
            squeezed = max(1, round(self.se * x[0]))
            body = body.put(se=squeeze_excite(width, squeezed, ReLU(), Sigmoid()))
        return residual(body.put(restore=conv_norm(width, 1)), Shortcut(width, self.stride))
