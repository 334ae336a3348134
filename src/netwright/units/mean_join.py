"""Joins that average: the mean of several maps, and a sum with learnt weights."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netwright.core.cost import NOTHING, Cost, Kept
from netwright.core.join import Join
from netwright.core.shape import Shape

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Mean", "WeightedSum"]


class Mean(Join):
    """The mean of its inputs, all of one shape: one operation an element and input.

    >>> Mean().shape((78, 28, 28), (78, 28, 28))
    (78, 28, 28)
    """

    keeps = NOTHING

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=len(xs) * prod(y))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Mean as Layer

        return Layer()


class WeightedSum(Join):
    """sum_i sigmoid(w_i) x_i over its inputs, all of one shape: how a node of a randomly wired
    net gathers its edges (Xie et al. 2019, arXiv:1904.01569, section 3.1).

    One parameter w an input, 0 at the start, so that all weigh a half. Two operations an
    element and input, less one.

    >>> WeightedSum().cost((78, 28, 28), (78, 28, 28), y=(78, 28, 28)).params
    2
    """

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(len(xs), ops=(2 * len(xs) - 1) * prod(y))

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(input=True, once=len(xs))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import WeightedSum as Layer

        return Layer(len(xs))
