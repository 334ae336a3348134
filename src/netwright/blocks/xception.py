"""Blocks of Xception (Chollet 2016, arXiv:1610.02357)."""

from __future__ import annotations

from netwright.blocks.resnet import Shortcut
from netwright.blocks.separable import SeparableConv
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Sum
from netwright.units.activation import ReLU
from netwright.units.pool import MaxPool

__all__ = ["XceptionBlock"]


class XceptionBlock(Block):
    """ReLU and a separable 3x3 convolution for each of `widths`, a 3x3 maximum pool where the
    stride is not 1, beside a shortcut: (C, H, W) -> (widths[-1], H / stride, W / stride)
    (figure 5).

    The shortcut projects where the shape changes. The very first block of the net has no ReLU
    before its first convolution, `act_first=False`.

    >>> XceptionBlock((728, 728, 728)).expand((728, 19, 19)).names
    ('body', 'shortcut')
    """

    widths: tuple[int, ...]
    stride: int = 1
    act_first: bool = True

    def expand(self, x: Shape) -> Spec:
        parts: dict[str, Spec] = {}
        for i, width in enumerate(self.widths, 1):
            if i > 1 or self.act_first:
                parts[f"act{i}"] = ReLU()
            parts[f"conv{i}"] = SeparableConv(width, between=False, act=None)
        if self.stride != 1:
            parts["pool"] = MaxPool(3, self.stride, padding=1)
        return Sum(body=Sequential(**parts), shortcut=Shortcut(self.widths[-1], self.stride))
