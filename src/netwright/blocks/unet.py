"""The step of U-Net (Ronneberger et al. 2015, arXiv:1505.04597)."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.core.check import is_count, is_spec
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential

__all__ = ["DoubleConv"]


class DoubleConv(Block):
    """Two 3x3 convolutions with ReLU: (C, H, W) -> (width, H, W). `attention` ends them.

    >>> DoubleConv(64).expand((1, 256, 256)).names
    ('conv1', 'conv2')
    """

    width: int
    norm: Spec | None = None
    attention: Spec | None = None

    def check(self) -> None:
        is_count(self, "width")
        is_spec(self, "norm", "attention", optional=True)

    def expand(self, x: Shape) -> Spec:
        conv = ConvNormAct(self.width, norm=self.norm)
        weigh = {"attention": self.attention} if self.attention else {}
        return Sequential(conv1=conv, conv2=conv, **weigh)
