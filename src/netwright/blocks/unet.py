"""The steps of U-Net (Ronneberger et al. 2015, arXiv:1505.04597)."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Sequential
from netwright.units.activation import Identity
from netwright.units.conv import TransposedConv
from netwright.units.pool import MaxPool

__all__ = ["DoubleConv", "UNetDown", "UNetUp"]


class _Step(Block, abstract=True):
    """`width` maps, `norm` behind every convolution, `attention` behind the last."""

    width: int
    norm: Spec | None = None
    attention: Spec | None = None

    def convs(self) -> DoubleConv:
        """Its two convolutions."""
        return DoubleConv(self.width, self.norm, self.attention)


class DoubleConv(_Step):
    """Two 3x3 convolutions with ReLU: (C, H, W) -> (width, H, W). `attention` ends them.

    >>> DoubleConv(64).expand((1, 256, 256)).names
    ('conv1', 'conv2')
    """

    def expand(self, x: Shape) -> Spec:
        conv = ConvNormAct(self.width, norm=self.norm)
        weigh = {"attention": self.attention} if self.attention else {}
        return Sequential(conv1=conv, conv2=conv, **weigh)


class UNetDown(_Step):
    """A step down: 2x2 max pooling and a `DoubleConv`: (C, H, W) -> (width, H / 2, W / 2).

    >>> UNetDown(128).expand((64, 256, 256)).names
    ('pool', 'convs')
    """

    def expand(self, x: Shape) -> Spec:
        return Sequential(pool=MaxPool(2), convs=self.convs())


class UNetUp(_Step):
    """A step up: what was copied beside what comes from below, twice as large by a 2x2
    transposed convolution, and a `DoubleConv`: (C, H, W), (C', H / 2, W / 2) -> (width, H, W).

    >>> UNetUp(64).expand((64, 256, 256), (128, 128, 128)).names
    ('beside', 'convs')
    """

    joins = True

    def expand(self, *xs: Shape) -> Spec:
        beside = Concat(copied=Identity(), grown=TransposedConv(self.width))
        return Sequential(beside=beside, convs=self.convs())
