"""The three forms of a ResNeXt block (Xie et al. 2016, arXiv:1611.05431)."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm, conv_norm_act
from netwright.blocks.resnet import Shortcut, residual
from netwright.core.check import is_choice, is_count
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Sequential, Sum
from netwright.units.conv import Conv
from netwright.units.norm import BatchNorm

__all__ = ["ResNeXtBlock"]


class ResNeXtBlock(Block):
    """`groups` paths of d = `group_width` channels, 1x1, 3x3 and 1x1, beside a shortcut:
    (C, H, W) -> (4 width, H / stride, W / stride).

    Figure 3 of the paper draws it three times, and all compute the same with the same
    weights: the paths' outputs summed ("split"), their 3x3 outputs side by side before one
    1x1 ("concatenated"), or one 3x3 convolution in groups ("grouped"), which is the
    `Bottleneck` that the registered nets are made of. Parameters and MACs are
    equal too.

    >>> ResNeXtBlock(64).expand((256, 56, 56))["residual"]["body"].names
    ('reduce', 'conv', 'restore')
    """

    width: int
    stride: int = 1
    groups: int = 32
    group_width: int = 4
    form: str = "grouped"
    own_widths = ("width", "group_width")

    def check(self) -> None:
        is_count(self, "group_width")
        is_choice(self, "form", ("split", "concatenated", "grouped"))

    def expand(self, x: Shape) -> Spec:
        out, d = 4 * self.width, self.group_width
        path = Sequential(reduce=conv_norm_act(d, 1), conv=conv_norm_act(d, 3, self.stride))
        if self.form == "grouped":
            wide = self.groups * d
            body = Sequential(
                reduce=conv_norm_act(wide, 1),
                conv=conv_norm_act(wide, 3, self.stride, groups=self.groups),
                restore=conv_norm(out, 1),
            )
        elif self.form == "concatenated":
            body = Sequential(paths=Concat(*[path] * self.groups), restore=conv_norm(out, 1))
        else:
            whole = path.put(restore=Conv(out, 1, bias=False))
            body = Sequential(paths=Sum(*[whole] * self.groups), norm=BatchNorm())
        return residual(body, Shortcut(out, self.stride))
