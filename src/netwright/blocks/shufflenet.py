"""ShuffleNet units, first and second version."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm, conv_norm_act
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Sequential, Sum
from netwright.errors import ShapeError
from netwright.units.activation import Identity, ReLU
from netwright.units.channels import Channels
from netwright.units.pool import AvgPool
from netwright.units.rearrange import ChannelShuffle

__all__ = ["ShuffleUnit", "ShuffleUnitV2"]


class ShuffleUnit(Block):
    """A bottleneck of grouped 1x1 convolutions around a channel shuffle and a depthwise 3x3:
    (C, H, W) -> (width, H / stride, W / stride) (Zhang et al. 2017, arXiv:1707.01083, figure 2).

    At stride 1 x is added (figure 2b), else its 3x3 average pooling stands beside (figure 2c).
    `grouped` says whether the first 1x1 convolution has groups too.

    >>> ShuffleUnit(240, 3, stride=2).expand((24, 56, 56)).names
    ('beside', 'act')
    """

    width: int
    groups: int
    stride: int = 1
    grouped: bool = True

    def expand(self, x: Shape) -> Spec:
        hidden = self.width // 4
        new = self.width if self.stride == 1 else self.width - x[0]
        if new < 1:
            raise ShapeError(f"ShuffleUnit: {x[0]} channels leave no room in width {self.width}")
        body = Sequential(
            reduce=conv_norm_act(hidden, 1, groups=self.groups if self.grouped else 1),
            shuffle=ChannelShuffle(self.groups),
            depthwise=conv_norm(hidden, 3, self.stride, groups=hidden),
            restore=conv_norm(new, 1, groups=self.groups),
        )
        if self.stride == 1:
            return Sequential(residual=Sum(body=body, shortcut=Identity()), act=ReLU())
        pool = AvgPool(3, self.stride, padding=1)
        return Sequential(beside=Concat(body=body, shortcut=pool), act=ReLU())


class ShuffleUnitV2(Block):
    """Half of the channels through 1x1, depthwise 3x3 and 1x1 convolutions, the other half past
    them, then shuffled: (C, H, W) -> (width, H / stride, W / stride) (Ma et al. 2018,
    arXiv:1807.11164, figure 3).

    At stride 1 the width is C (figure 3c); else both branches see all channels, the second
    through a depthwise 3x3 and a 1x1 convolution (figure 3d).

    >>> ShuffleUnitV2(116, stride=2).expand((24, 56, 56)).names
    ('halves', 'shuffle')
    """

    width: int
    stride: int = 1

    def expand(self, x: Shape) -> Spec:
        half = self.width // 2
        if self.stride == 1 and x[0] != self.width:
            raise ShapeError(f"ShuffleUnitV2: at stride 1 width is the {x[0]} input channels, "
                             f"got {self.width}")  # fmt: skip
        convs = Sequential(
            reduce=conv_norm_act(half, 1),
            depthwise=conv_norm(half, 3, self.stride, groups=half),
            restore=conv_norm_act(half, 1),
        )
        if self.stride == 1:
            taken = Sequential(take=Channels(half, self.width), convs=convs)
            halves = Concat(skip=Channels(0, half), body=taken)
        else:
            shrunk = Sequential(
                depthwise=conv_norm(x[0], 3, self.stride, groups=x[0]),
                pointwise=conv_norm_act(half, 1),
            )
            halves = Concat(skip=shrunk, body=convs)
        return Sequential(halves=halves, shuffle=ChannelShuffle(2))
