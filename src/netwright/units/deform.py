"""Deformable convolution, with and without modulation."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netwright.core.check import is_count
from netwright.core.cost import Cost
from netwright.core.shape import Shape, need_rank
from netwright.errors import ShapeError
from netwright.units.window import GroupedConvolution

if TYPE_CHECKING:
    from torch import nn

__all__ = ["DeformableConv"]


class DeformableConv(GroupedConvolution):
    """A convolution whose taps move to where the input tells them: (C, H, W) -> (width, H', W').

    y(p) = b + sum over taps k of w_k m_k(p) x(p + p_k + offset_k(p)), bilinear between
    positions. A convolution with the same window, zero at first, predicts the offsets; m is 1
    (Dai et al. 2017, arXiv:1703.06211) or, `modulated`, the sigmoid of what it also predicts
    (Zhu et al. 2018, arXiv:1811.11168). `offset_groups` groups of channels have their own.

    With K = prod(k) and o = 2 or, modulated, 3: (C / groups) K width + width parameters and
    o K offset_groups (C K + 1) for the offsets; MACs of both convolutions; an operation for
    each of the four neighbours of every sample, and one for its mask. The field's axes are
    those of offsets zero; its status is global, because an offset may lead anywhere.

    >>> DeformableConv(64, stride=2).shape((32, 28, 28))
    (64, 14, 14)
    """

    sees_all = True

    modulated: bool = False
    offset_groups: int = 1

    def check(self) -> None:
        super().check()
        is_count(self, "offset_groups")

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("DeformableConv", x, 3, 3)
        if isinstance(x[0], int) and x[0] % self.offset_groups:
            raise ShapeError(
                f"DeformableConv: offset_groups {self.offset_groups} do not divide the {x[0]} "
                "input channels"
            )
        return super().shape(x)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        taps, positions = prod(self.sliding(x).kernel), prod(y[1:])
        weights = x[0] // self.groups * taps * self.width
        channels = (3 if self.modulated else 2) * taps * self.offset_groups
        offsets = x[0] * taps * channels
        sampled = (5 if self.modulated else 4) * x[0] * taps * positions
        params = weights + (self.width if self.bias else 0) + offsets + channels
        return Cost(params, (weights + offsets) * positions, sampled)

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import DeformableConv2d

        (x,) = xs
        k, s, p, d, _ = self.sliding(x)
        return DeformableConv2d(
            x[0], self.width, k, s, p, d, self.groups, self.bias, self.offset_groups,
            self.modulated,
        )  # fmt: skip
