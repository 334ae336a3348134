"""Grouped convolutions, alone and with their channels shuffled."""

from __future__ import annotations

from netwright.blocks.conv import NamedConv
from netwright.core.shape import Axes, Padding, Shape
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.units.rearrange import ChannelShuffle

__all__ = ["GroupedConv", "ShuffledGroupedConv"]


class GroupedConv(NamedConv):
    """A convolution whose outputs see one of `groups` shares of the channels: (C, H, W) ->
    (width, H', W'); 1 / groups of the parameters and MACs (Krizhevsky et al. 2012).

    >>> GroupedConv(64, 4).expand((32, 9, 9))
    Conv(64, groups=4)
    """

    width: int
    groups: int = 2
    kernel: Axes = 3
    stride: Axes = 1
    padding: Padding = "same"
    dilation: Axes = 1
    bias: bool = True


class ShuffledGroupedConv(GroupedConv):
    """A grouped convolution, and a shuffle that hands every group's channels to all groups of
    the next (Zhang et al. 2017, arXiv:1707.01083): (C, H, W) -> (width, H', W').

    >>> ShuffledGroupedConv(64, 4).expand((32, 9, 9)).names
    ('conv', 'shuffle')
    """

    def expand(self, x: Shape) -> Spec:
        return Sequential(conv=self.conv(), shuffle=ChannelShuffle(self.groups))
