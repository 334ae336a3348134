"""Densely connected blocks (Huang et al. 2016, arXiv:1608.06993)."""

from __future__ import annotations

from functools import lru_cache

from netwright.core.check import is_count, is_number
from netwright.core.shape import Shape, share
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Sequential
from netwright.units.activation import Identity, ReLU
from netwright.units.conv import Conv
from netwright.units.norm import BatchNorm
from netwright.units.pool import AvgPool

__all__ = ["DenseBlock", "DenseLayer", "Transition"]


class DenseLayer(Block):
    """`growth` new channels beside the given ones: (C, H, W) -> (C + growth, H, W).

    Batch norm, ReLU and a 1x1 convolution, then the same with a 3x3.

    growth: new channels
    expansion: channels of the 1x1 over `growth`; 0 leaves the 1x1 out

    >>> DenseLayer(32).expand((64, 56, 56)).names
    ('skip', 'new')
    """

    growth: int
    expansion: int = 4

    def check(self) -> None:
        is_count(self, "growth")

    def expand(self, x: Shape) -> Spec:
        return _layer(self.growth, self.expansion)


class DenseBlock(Block):
    """`depth` dense layers, each of which sees all before it: (C, H, W) ->
    (C + depth growth, H, W).

    depth: how many layers
    growth: new channels of each
    expansion: channels of their 1x1 over `growth`; 0 leaves the 1x1 out
    """

    depth: int
    growth: int = 32
    expansion: int = 4

    def check(self) -> None:
        DenseLayer(self.growth, self.expansion)

    def expand(self, x: Shape) -> Spec:
        return Sequential(*[DenseLayer(self.growth, self.expansion)] * self.depth)


class Transition(Block):
    """Between dense blocks: batch norm, ReLU, a 1x1 convolution to `compression` C channels,
    2x2 average pooling: (C, H, W) -> (compression C, H / 2, W / 2).

    compression: channels of the output over those of the input

    >>> Transition().expand((256, 56, 56))["conv"]
    Conv(128, kernel=1, bias=False)
    """

    compression: float = 0.5

    def check(self) -> None:
        is_number(self, "compression", above=0)

    def expand(self, x: Shape) -> Spec:
        width = share(x[0], self.compression)
        return _norm_act_conv(width, 1).put(pool=AvgPool(2))


@lru_cache(maxsize=64)
def _layer(growth: int, expansion: int) -> Concat:
    """Kept: every layer of a block has another input, and all stand for the same."""
    hidden = expansion * growth
    reduce = {"reduce": _norm_act_conv(hidden, 1)} if hidden else {}
    return Concat(skip=Identity(), new=Sequential(**reduce, conv=_norm_act_conv(growth, 3)))


def _norm_act_conv(width: int, kernel: int) -> Sequential:
    return Sequential(norm=BatchNorm(), act=ReLU(), conv=Conv(width, kernel, bias=False))
