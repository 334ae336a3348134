"""The VGG block (Simonyan & Zisserman 2014, arXiv:1409.1556)."""

from __future__ import annotations

from netwright.blocks.attention import SqueezeExcite
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.units.activation import ReLU
from netwright.units.conv import Conv
from netwright.units.pool import MaxPool

__all__ = ["VggBlock"]


class VggBlock(Block):
    """`depth` 3x3 convolutions with ReLU, then 2x2 max pooling: (C, H, W) ->
    (width, H / 2, W / 2).

    With a `norm` behind them the convolutions keep their biases, as in torchvision.

    width: channels of the output
    depth: how many convolutions
    norm: the normalisation behind each; None leaves it out
    se: the reduction of a squeeze-excitation behind every ReLU; 0 leaves it out

    >>> VggBlock(64, 2).expand((3, 224, 224)).names
    ('0', '1', 'pool')
    """

    width: int
    depth: int = 2
    norm: Spec | None = None
    se: int = 0

    def expand(self, x: Shape) -> Spec:
        norm = {"norm": self.norm} if self.norm else {}
        se = {"se": SqueezeExcite(self.se)} if self.se else {}
        conv = Sequential(conv=Conv(self.width), **norm, act=ReLU(), **se)
        return Sequential(*[conv] * self.depth, pool=MaxPool(2))
