"""Local response normalisation: an element against the energy of its neighbours."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netwright.core.check import is_number
from netwright.core.cost import Cost, Kept
from netwright.core.field import Window
from netwright.core.operation import Kind
from netwright.core.shape import Shape, need_rank
from netwright.core.spec import Unit
from netwright.units.window import sliding_window

if TYPE_CHECKING:
    from torch import nn

__all__ = ["LocalResponseNorm", "SpatialResponseNorm"]


class LocalResponseNorm(Unit):
    """y = x / (k + alpha/n sum of x^2 over n neighbouring channels)^beta (Krizhevsky et al.
    2012, section 3.3). No parameters; n + 2 operations an element.

    `alpha` is divided by n here, as PyTorch does; the paper's 1e-4 is not, so it stands for
    alpha = 5e-4 with n = 5.
    """

    kind = Kind.NORMALISATION

    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 2.0

    def check(self) -> None:
        is_number(self, "alpha", "beta", "k")

    def shape(self, *xs: Shape) -> Shape:
        need_rank("LocalResponseNorm", xs[0], 2, 4)
        return xs[0]

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=(self.size + 2) * prod(y))

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        wide = y[0] + self.size - 1
        return Kept(input=True, each=wide * prod(y[1:]) + 2 * prod(y))

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return nn.LocalResponseNorm(self.size, self.alpha, self.beta, self.k)


class SpatialResponseNorm(Unit):
    """y = x / (k + alpha mean of x^2 over n neighbouring positions an axis)^beta: local response
    normalisation within a channel (cuda-convnet, Krizhevsky 2012). No parameters; n^2 + 2
    operations an element of a (C, H, W) map.

    (C, L), (C, H, W) or (C, T, H, W). Zeros beyond the border are counted; an even `size`
    reaches further back than ahead. The `alpha` of the paper, not divided by n^2, is alpha / n^2
    here.
    """

    kind = Kind.NORMALISATION

    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def check(self) -> None:
        is_number(self, "alpha", "beta", "k")

    def shape(self, *xs: Shape) -> Shape:
        need_rank("SpatialResponseNorm", xs[0], 2, 4)
        return xs[0]

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=(self.size ** (len(y) - 1) + 2) * prod(y))

    def window(self, x: Shape) -> Window:
        rank = len(x) - 1
        pads = ((self.size // 2, (self.size - 1) // 2),) * rank
        return sliding_window(rank, self.size, 1, pads).taps

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        (x,) = xs
        wide = x[0] * prod([n + self.size - 1 for n in x[1:]])
        return Kept(input=True, each=wide + 2 * prod(x))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import SpatialResponseNorm as Layer

        return Layer(self.size, self.alpha, self.beta, self.k)
