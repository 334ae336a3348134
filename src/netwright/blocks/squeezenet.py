"""Fire modules (Iandola et al. 2016, arXiv:1602.07360)."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.core.check import is_choice, is_count
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Sequential, Sum
from netwright.units.activation import Identity
from netwright.units.conv import Conv

__all__ = ["Fire"]


class Fire(Block):
    """A 1x1 convolution squeezes to s channels, 1x1 and 3x3 convolutions side by side expand
    to e each: (C, H, W) -> (2 e, H, W) (section 3.2; s1x1, and e1x1 = e3x3 as in its table 1).

    `bypass` adds a shortcut (figure 2): "simple" x itself where the channels are as many,
    "complex" also a 1x1 convolution where they are not.

    >>> Fire(16, 64).expand((96, 55, 55)).names
    ('squeeze', 'expand')
    """

    squeeze: int
    expanded: int
    bypass: str = "none"
    own_widths = ("squeeze", "expanded")

    def check(self) -> None:
        is_count(self, "squeeze", "expanded")
        is_choice(self, "bypass", ("none", "simple", "complex"))

    def expand(self, x: Shape) -> Spec:
        width = 2 * self.expanded
        body = Sequential(
            squeeze=ConvNormAct(self.squeeze, 1, norm=None),
            expand=Concat(
                conv1=ConvNormAct(self.expanded, 1, norm=None),
                conv3=ConvNormAct(self.expanded, 3, norm=None),
            ),
        )
        if self.bypass != "none" and x[0] == width:
            return Sum(body=body, shortcut=Identity())
        if self.bypass == "complex":
            return Sum(body=body, shortcut=Conv(width, 1))
        return body
