"""Blocks that weigh channels and positions."""

from __future__ import annotations

from netwright.core.check import is_count
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Gate, Sequential
from netwright.units.activation import Identity, ReLU, Sigmoid
from netwright.units.conv import Conv
from netwright.units.pool import GlobalAvgPool

__all__ = ["SqueezeExcite", "squeeze_excite"]


class SqueezeExcite(Block):
    """x sigmoid(W2 ReLU(W1 mean(x))), a gate a channel: (C, H, W) -> (C, H, W).

    W1 squeezes C to C / reduction (Hu et al. 2017, arXiv:1709.01507, equations 2-4).
    """

    reduction: int = 16

    def check(self) -> None:
        is_count(self, "reduction")

    def expand(self, x: Shape) -> Spec:
        return squeeze_excite(x[0], max(1, x[0] // self.reduction), ReLU(), Sigmoid())


def squeeze_excite(channels: int, squeezed: int, act: Spec, gate: Spec) -> Gate:
    """A gate of so many channels, squeezed to any number between, with any activations."""
    excite = Sequential(
        pool=GlobalAvgPool(keep=True),
        squeeze=Conv(squeezed, 1),
        act=act,
        expand=Conv(channels, 1),
        gate=gate,
    )
    return Gate(skip=Identity(), excite=excite)
