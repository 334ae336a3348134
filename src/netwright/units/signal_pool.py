"""Pools with weights: one vector a lead of a signal, and weights found by a genetic search."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netwright.core.cost import INPUT, Cost, Kept
from netwright.core.field import Window
from netwright.core.operation import Kind, Sliding
from netwright.core.shape import Shape, need_rank, slid
from netwright.core.spec import Unit
from netwright.units.pool import LocalPool
from netwright.units.window import sliding_window

if TYPE_CHECKING:
    from torch import nn

__all__ = ["GeneticPool", "LeapPool"]


class LeapPool(Unit):
    """A learnt weighted sum of `kernel` neighbours in time, one weight vector a lead:
    (leads, T) or (C, leads, T) -> (..., leads, floor((T - k) / s) + 1).

    LEAP (Sun et al. 2017, "Learning Pooling for Convolutional Neural Network") learns one
    linear combination a channel. Of multi-lead signals time is pooled and leads are not
    (lead asymmetric pooling), and the C maps of a lead share its vector. A stride of None is
    the kernel. leads k parameters, k MACs an output element.

    >>> LeapPool(4).shape((32, 12, 1000))
    (32, 12, 250)
    """

    kind = Kind.POOLING
    keeps = INPUT

    kernel: int = 2
    stride: int | None = None

    def _stride(self) -> int:
        return self.kernel if self.stride is None else self.stride

    def sliding(self, x: Shape) -> Sliding:
        leads = (1,) * (len(x) - 2)
        return sliding_window(len(x) - 1, (*leads, self.kernel), (*leads, self._stride()), 0)

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("LeapPool", x, 2, 3)
        return (*x[:-1], slid(x[-1], self.kernel, self._stride(), (0, 0)))

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(params=y[-2] * self.kernel, macs=self.kernel * prod(y))

    def window(self, x: Shape) -> Window:
        return self.sliding(x).taps

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import LeapPool as Layer

        return Layer(xs[0][-2], self.kernel, self._stride())


class GeneticPool(LocalPool):
    """A weighted mean of every window, its weights found by the layer's `search`, a small
    genetic algorithm: (C, H, W) -> (C, H', W').

    The weights are shared by all channels, not negative, and sum to one; they are prod(k)
    buffer elements that start equal, so that an unsearched pool averages, zeros of the
    padding counted. prod(k) MACs an output element. The name is used for several searches;
    this is our definition.

    >>> GeneticPool(3, stride=2).shape((64, 55, 55))
    (64, 27, 27)
    """

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        taps = prod(self.sliding(xs[0])[0])
        return Cost(macs=taps * prod(y), buffers=taps)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        wide = self.widened(xs[0], y)
        return Kept(input=not wide, each=wide)

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import GeneticPool as Layer

        k, s, p, _, _ = self.sliding(xs[0])
        return Layer(k, s, tuple(before for before, _ in p), self.ceil)
