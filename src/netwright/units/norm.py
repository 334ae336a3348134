"""Normalisation: which axes share a mean and a variance."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netwright.core.check import is_fraction, is_number
from netwright.core.cost import Cost, Kept
from netwright.core.operation import Kind
from netwright.core.shape import Shape, need_rank, show
from netwright.core.spec import Unit
from netwright.errors import ShapeError

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "BatchNorm",
    "ChannelLayerNorm",
    "GhostBatchNorm",
    "GroupNorm",
    "InstanceNorm",
    "LayerNorm",
    "Norm",
    "SwitchableNorm",
]


class Norm(Unit, abstract=True):
    """Centre, scale, then gamma y + beta a channel: any shape -> the same shape.

    2 C parameters when `affine`; two operations an element (scale and shift).
    """

    kind = Kind.NORMALISATION

    affine: bool = True
    eps: float = 1e-5

    def check(self) -> None:
        is_number(self, "eps", above=0)

    def shape(self, *xs: Shape) -> Shape:
        return xs[0]

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(2 * y[0] if self.affine else 0, 0, 2 * prod(y))


class BatchNorm(Norm):
    """Mean and variance of a channel over batch and positions; running ones in evaluation
    (Ioffe & Szegedy 2015, arXiv:1502.03167). (C,), (C, L), (C, H, W) or (C, T, H, W).

    2 C + 1 buffer elements: running mean, running variance, batches seen.

    affine: whether every channel has a learnt scale and shift
    eps: what is added to the variance
    momentum: how much of the running mean and variance a batch replaces
    """

    kind = Kind.BATCH_NORM

    momentum: float = 0.1

    def check(self) -> None:
        super().check()
        is_fraction(self, "momentum", one=True)

    def shape(self, *xs: Shape) -> Shape:
        need_rank(type(self).__name__, xs[0], 1, 4)
        return xs[0]

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(2 * y[0] if self.affine else 0, 0, 2 * prod(y), 2 * y[0] + 1)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(input=True, once=2 * y[0])

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        (x,) = xs
        kind = (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[len(x) - 1]
        return kind(x[0], self.eps, self.momentum, self.affine)


class GhostBatchNorm(BatchNorm):
    """Batch normalisation of parts of at most `size` images, each for itself, in training
    (Hoffer et al. 2017, arXiv:1705.08741). (C,), (C, L), (C, H, W) or (C, T, H, W).

    The running averages take part after part; evaluation and costs are those of `BatchNorm`.
    A batch that `size` does not divide is cut into parts as equal as can be; on maps of one
    position they have two images at least.
    """

    size: int = 32

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return None  # by parts, whose number the batch decides

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import ghost_batch_norm

        (x,) = xs
        kind = (ghost_batch_norm[0], *ghost_batch_norm)[len(x) - 1]
        return kind(x[0], self.size, self.eps, self.momentum, self.affine)


class GroupNorm(Norm):
    """Mean and variance of an image's group of channels (Wu & He 2018, arXiv:1803.08494)."""

    sees_all = True

    groups: int = 32

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        if isinstance(x[0], int) and x[0] % self.groups:
            raise ShapeError(f"GroupNorm: groups {self.groups} do not divide {x[0]} channels")
        if prod(x) == self.groups:
            raise ShapeError(f"GroupNorm: {self.groups} groups of {show(x)} are single values, "
                             "of which there is no variance; use fewer groups")  # fmt: skip
        return x

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(input=True, each=2 * self.groups)

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return nn.GroupNorm(self.groups, xs[0][0], self.eps, self.affine)


class LayerNorm(Norm):
    """Mean and variance of an image over all channels and positions (Ba et al. 2016,
    arXiv:1607.06450): group normalisation with one group, gamma and beta a channel.
    """

    sees_all = True

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        if prod(x) == 1:
            raise ShapeError(f"LayerNorm: {show(x)} is a single value, of which there is no "
                             "variance")  # fmt: skip
        return x

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(input=True, each=2)

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return nn.GroupNorm(1, xs[0][0], self.eps, self.affine)


class ChannelLayerNorm(Norm):
    """Mean and variance over the channels of every position by itself: `LayerNorm` as ConvNeXt
    has it (Liu et al. 2022, arXiv:2201.03545). (C,), (C, L), (C, H, W) or (C, T, H, W).

    Unlike `LayerNorm` it is local: a position sees itself only.
    """

    def shape(self, *xs: Shape) -> Shape:
        need_rank("ChannelLayerNorm", xs[0], 1, 4)
        return xs[0]

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(input=True, each=2 * prod(y[1:]))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import ChannelLayerNorm as Layer

        return Layer(xs[0][0], self.eps, self.affine)


class InstanceNorm(Norm):
    """Mean and variance of an image's channel over positions (Ulyanov et al. 2016,
    arXiv:1607.08022). (C, L), (C, H, W) or (C, T, H, W).
    """

    sees_all = True

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("InstanceNorm", x, 2, 4)
        if prod(x[1:]) == 1:
            raise ShapeError(f"InstanceNorm needs more than one position, got {show(x)}")
        return x

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(input=True, each=(3 if self.affine else 2) * y[0])

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        (x,) = xs
        kind = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)[len(x) - 2]
        return kind(x[0], self.eps, affine=self.affine)


class SwitchableNorm(Norm):
    """Mean and variance are learnt mixes of those of instance, layer and batch normalisation
    (Luo et al. 2018, arXiv:1806.10779). (C, L), (C, H, W) or (C, T, H, W).

    Six parameters more for the two mixes, 2 C buffer elements for the running averages that
    stand for the batch in evaluation.
    """

    sees_all = True

    momentum: float = 0.1

    def check(self) -> None:
        super().check()
        is_fraction(self, "momentum", one=True)

    def shape(self, *xs: Shape) -> Shape:
        need_rank("SwitchableNorm", xs[0], 2, 4)
        return xs[0]

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(6 + (2 * y[0] if self.affine else 0), 0, 2 * prod(y), 2 * y[0])

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        channels, affine = y[0], int(self.affine)
        return Kept(input=True, each=(4 + affine) * channels + 2, once=6 + 2 * channels)

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import SwitchableNorm as Layer

        return Layer(xs[0][0], self.eps, self.momentum, self.affine)
