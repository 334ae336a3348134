"""Blocks that weigh channels and positions."""

from __future__ import annotations

from netwright.core.check import is_count
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Gate, Sequential
from netwright.units.activation import Identity, ReLU, Sigmoid
from netwright.units.conv import Conv
from netwright.units.pool import GlobalAvgPool

__all__ = ["SqueezeExcite"]


class SqueezeExcite(Block):
    """x sigmoid(W2 ReLU(W1 mean(x))), a gate a channel: (C, H, W) -> (C, H, W).

    W1 squeezes C to C / reduction (Hu et al. 2017, arXiv:1709.01507, equations 2-4).
    """

    reduction: int = 16

    def check(self) -> None:
        is_count(self, "reduction")

    def expand(self, x: Shape) -> Spec:
        excite = Sequential(
            pool=GlobalAvgPool(keep=True),
            squeeze=Conv(max(1, x[0] // self.reduction), 1),
            act=ReLU(),
            expand=Conv(x[0], 1),
            gate=Sigmoid(),
        )
        return Gate(skip=Identity(), excite=excite)
