"""The Inception block before its 1x1 bottlenecks (Szegedy et al. 2014, arXiv:1409.4842)."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.core.check import is_count
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat
from netwright.units.pool import MaxPool

__all__ = ["NaiveInception"]


class NaiveInception(Block):
    """1x1, 3x3 and 5x5 convolutions and max pooling side by side: (C, H, W) ->
    (conv1 + conv3 + conv5 + C, H, W) (figure 2a).

    The pool keeps all C channels, so that maps grow from block to block; `Inception` reduces
    them by 1x1 convolutions first.

    >>> from netwright import Net
    >>> Net(NaiveInception(64, 128, 32), (256, 28, 28)).plan().output
    (480, 28, 28)
    """

    conv1: int
    conv3: int
    conv5: int
    norm: Spec | None = None
    own_widths = ("conv1", "conv3", "conv5")

    def check(self) -> None:
        is_count(self, "conv1", "conv3", "conv5")

    def expand(self, x: Shape) -> Spec:
        return Concat(
            conv1=ConvNormAct(self.conv1, 1, norm=self.norm),
            conv3=ConvNormAct(self.conv3, 3, norm=self.norm),
            conv5=ConvNormAct(self.conv5, 5, norm=self.norm),
            pool=MaxPool(3, 1, padding=1),
        )
