"""Residual blocks of Darknet (Redmon & Farhadi 2018, arXiv:1804.02767)."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.core.shape import Shape, narrowed
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Sum
from netwright.units.activation import Identity, LeakyReLU

__all__ = ["DarkBlock"]


class DarkBlock(Block):
    """1x1 to C / 2 channels, 3x3 back to C, x added: (C, H, W) -> (C, H, W) (table 1).

    >>> DarkBlock().expand((64, 128, 128))["body"].names
    ('reduce', 'conv')
    """

    act: Spec = LeakyReLU(0.1)

    def expand(self, x: Shape) -> Spec:
        body = Sequential(
            reduce=ConvNormAct(narrowed(x[0], 2), 1, act=self.act),
            conv=ConvNormAct(x[0], 3, act=self.act),
        )
        return Sum(body=body, shortcut=Identity())
