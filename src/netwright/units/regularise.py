"""Units that act in training only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netwright.core.check import is_fraction
from netwright.core.shape import Shape, need_rank
from netwright.core.spec import Unit

if TYPE_CHECKING:
    from torch import nn

__all__ = ["DropPath", "Dropout", "Dropper", "SpatialDropout"]


class Dropper(Unit, abstract=True):
    """Zeros with probability `rate` in training, the rest scaled by 1 / (1 - rate)."""

    rate: float = 0.5

    def check(self) -> None:
        is_fraction(self, "rate")

    def shape(self, *xs: Shape) -> Shape:
        return xs[0]


class Dropout(Dropper):
    """Zeros elements (Srivastava et al. 2014): any shape -> the same shape, free."""

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return nn.Dropout(self.rate)


class SpatialDropout(Dropper):
    """Zeros whole channels (Tompson et al. 2014, arXiv:1411.4280)."""

    def shape(self, *xs: Shape) -> Shape:
        need_rank("SpatialDropout", xs[0], 2, 4)
        return xs[0]

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)[len(xs[0]) - 2](self.rate)


class DropPath(Dropper):
    """Zeros a whole branch for an image: stochastic depth (Huang et al. 2016,
    arXiv:1603.09382), kept branches scaled by 1 / (1 - rate) in training.
    """

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import DropPath as Layer

        return Layer(self.rate)
