"""The block of Network in Network (Lin et al. 2013, arXiv:1312.4400)."""

from __future__ import annotations

from netwright.core.shape import Axes, Padding, Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.units.activation import ReLU
from netwright.units.conv import Conv

__all__ = ["MlpConv"]


class MlpConv(Block):
    """A perceptron with hidden layers slid over the map: a convolution, then a 1x1
    convolution for every further width, each with ReLU: (C, H, W) -> (widths[-1], H', W').

    >>> MlpConv((192, 160, 96), 5).expand((3, 32, 32)).names
    ('conv1', 'act1', 'conv2', 'act2', 'conv3', 'act3')
    """

    widths: tuple[int, ...]
    kernel: Axes = 3
    stride: Axes = 1
    padding: Padding = "same"

    def check(self) -> None:
        Conv(1, self.kernel, self.stride, self.padding)

    def expand(self, x: Shape) -> Spec:
        first, *rest = self.widths
        convs = [Conv(first, self.kernel, self.stride, self.padding)]
        convs += [Conv(width, 1) for width in rest]
        parts: dict[str, Spec] = {}
        for i, conv in enumerate(convs, 1):
            parts |= {f"conv{i}": conv, f"act{i}": ReLU()}
        return Sequential(**parts)
