"""Parallel streams of several resolutions (Wang et al. 2019, arXiv:1908.07919).

Stream i has 1 / 2^i of the height and width of stream 0.
"""

from __future__ import annotations

from netwright.blocks.conv import conv_norm, conv_norm_act
from netwright.blocks.resnet import BasicBlock
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Fork, Parallel, Sequential, Sum
from netwright.errors import ShapeError
from netwright.units.activation import Identity, ReLU
from netwright.units.resample import Upsample

__all__ = ["ExchangeUnit", "HighResolutionModule", "StreamTransition"]


class ExchangeUnit(Block):
    """ReLU of the sum of all streams, brought to the size and width of each:
    (C_i, H_i, W_i) -> (C_i, H_i, W_i).

    Finer streams come down by 3x3 convolutions of stride 2, coarser ones up by a 1x1 and the
    nearest neighbour (Sun et al. 2019, arXiv:1902.09212, figure 3). Only the first `outputs`
    streams are made, 0 for all.

    >>> ExchangeUnit().expand((32, 56, 56), (64, 28, 28)).names
    ('0', '1')
    """

    outputs: int = 0
    joins = True

    def expand(self, *xs: Shape) -> Spec:
        widths = [x[0] for x in xs]
        streams = range(self.outputs or len(xs))
        if len(streams) > len(xs):
            raise ShapeError(f"ExchangeUnit makes {len(streams)} streams, got {len(xs)}")
        sums = [Sum(*[_brought(widths, j, i) for j in range(len(xs))]) for i in streams]
        return Fork(*[Sequential(sum=sum_, act=ReLU()) for sum_ in sums])


class HighResolutionModule(Block):
    """`depth` basic blocks in every stream, then an exchange between the streams:
    (C_i, H_i, W_i) -> (C_i, H_i, W_i), of the first `outputs` streams alone or of all (0).

    >>> HighResolutionModule().expand((32, 56, 56), (64, 28, 28)).names
    ('branches', 'exchange')
    """

    depth: int = 4
    outputs: int = 0
    joins = True

    def check(self) -> None:
        ExchangeUnit(self.outputs)

    def expand(self, *xs: Shape) -> Spec:
        branches = [Sequential(*[BasicBlock(x[0])] * self.depth) for x in xs]
        return Sequential(branches=Parallel(*branches), exchange=ExchangeUnit(self.outputs))


class StreamTransition(Block):
    """Streams of these widths from as many or fewer: (C_i, H_i, W_i) -> (widths[i], H_i, W_i).

    Where the width changes a 3x3 convolution makes it; new streams come from the last one by
    3x3 convolutions of stride 2.

    >>> StreamTransition((32, 64)).expand((32, 56, 56))
    Parallel(Fork(Identity(), Sequential(ConvNormAct(64, stride=2))))
    """

    widths: tuple[int, ...]
    joins = True

    def expand(self, *xs: Shape) -> Spec:
        if len(xs) > len(self.widths):
            raise ShapeError(f"StreamTransition to {len(self.widths)} streams got {len(xs)}")
        kept = [
            Identity() if x[0] == width else conv_norm_act(width)
            for x, width in zip(xs, self.widths, strict=False)
        ]
        new = [
            Sequential(*[conv_norm_act(xs[-1][0], 3, 2)] * steps, conv_norm_act(width, 3, 2))
            for steps, width in enumerate(self.widths[len(xs) :])
        ]
        return Parallel(*kept[:-1], Fork(kept[-1], *new))


def _brought(widths: list[int], source: int, target: int) -> Spec:
    """From the size and width of one stream to those of another."""
    width, steps = widths[target], target - source
    if steps == 0:
        return Identity()
    if steps < 0:
        return Sequential(conv=conv_norm(width, 1), up=Upsample(2**-steps))
    down = conv_norm_act(widths[source], 3, 2)
    return Sequential(*[down] * (steps - 1), conv_norm(width, 3, 2))
