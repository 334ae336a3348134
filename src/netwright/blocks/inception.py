"""Inception blocks, first version (Szegedy et al. 2014, arXiv:1409.4842)."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.core.check import is_count, is_spec
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Sequential
from netwright.units.activation import ReLU
from netwright.units.linear import Flatten, Linear
from netwright.units.pool import AvgPool, MaxPool
from netwright.units.regularise import Dropout

__all__ = ["AuxiliaryHead", "Inception"]


class Inception(Block):
    """1x1, 3x3 and 5x5 convolutions and max pooling side by side, behind 1x1 convolutions
    that reduce: (C, H, W) -> (conv1 + conv3 + conv5 + pool, H, W) (figure 2b).

    The six numbers stand in the order of the paper's table 1. `kernel` is that of the
    widest branch: 5 in the paper, 3 in torchvision.

    >>> len(Inception(64, 96, 128, 16, 32, 32).expand((192, 28, 28)))
    4
    """

    conv1: int
    reduce3: int
    conv3: int
    reduce5: int
    conv5: int
    pool: int
    kernel: int = 5
    norm: Spec | None = None

    def check(self) -> None:
        is_count(self, "conv1", "reduce3", "conv3", "reduce5", "conv5", "pool", "kernel")
        is_spec(self, "norm", optional=True)

    def expand(self, x: Shape) -> Spec:
        def conv(width: int, kernel: int) -> ConvNormAct:
            return ConvNormAct(width, kernel, norm=self.norm)

        return Concat(
            conv1=conv(self.conv1, 1),
            conv3=Sequential(reduce=conv(self.reduce3, 1), conv=conv(self.conv3, 3)),
            conv5=Sequential(reduce=conv(self.reduce5, 1), conv=conv(self.conv5, self.kernel)),
            pool=Sequential(pool=MaxPool(3, 1, padding=1), project=conv(self.pool, 1)),
        )


class AuxiliaryHead(Block):
    """Classes from the middle of a net, to be put in a `Tap`: (C, H, W) -> (classes,).

    5x5 average pooling at stride 3, a 1x1 convolution, a hidden dense unit, 70% dropout
    (section 5 of the paper).
    """

    classes: int
    norm: Spec | None = None

    def check(self) -> None:
        is_count(self, "classes")
        is_spec(self, "norm", optional=True)

    def expand(self, x: Shape) -> Spec:
        return Sequential(
            pool=AvgPool(5, 3),
            conv=ConvNormAct(128, 1, norm=self.norm),
            flatten=Flatten(),
            hidden=Linear(1024),
            act=ReLU(),
            drop=Dropout(0.7),
            fc=Linear(self.classes),
        )
