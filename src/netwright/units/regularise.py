"""Units that act in training only."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, cast

from netwright.core.check import is_fraction
from netwright.core.cost import VIEW, Cost, Kept
from netwright.core.operation import Kind
from netwright.core.shape import Axes, Shape, need_rank, per_axis
from netwright.core.spec import Unit
from netwright.errors import SpecError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Cutout", "DropBlock", "DropPath", "Dropout", "Dropper", "ShakeDrop", "SpatialDropout"]


class Dropper(Unit, abstract=True):
    """Zeros with probability `rate` in training, the rest scaled by 1 / (1 - rate)."""

    kind = Kind.REGULARISATION

    rate: float = 0.5
    idle: ClassVar[bool] = True

    def check(self) -> None:
        is_fraction(self, "rate")

    def shape(self, *xs: Shape) -> Shape:
        return xs[0]


class Dropout(Dropper):
    """Zeros elements (Srivastava et al. 2014): any shape -> the same shape, free.

    rate: the probability of a zero; the rest is scaled by 1 / (1 - rate)
    """

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(each=prod(y)) if self.rate else VIEW

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return nn.Dropout(self.rate)


class SpatialDropout(Dropper):
    """Zeros whole channels (Tompson et al. 2014, arXiv:1411.4280)."""

    def shape(self, *xs: Shape) -> Shape:
        need_rank("SpatialDropout", xs[0], 2, 4)
        return xs[0]

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(each=y[0]) if self.rate else VIEW

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)[len(xs[0]) - 2](self.rate)


class DropPath(Dropper):
    """Zeros a whole branch for an image: stochastic depth (Huang et al. 2016,
    arXiv:1603.09382), kept branches scaled by 1 / (1 - rate) in training.

    rate: the probability that the branch is left out
    """

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(each=1) if self.rate else VIEW

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import DropPath as Layer

        return Layer(self.rate)


class DropBlock(Dropper):
    """Zeros blocks of `size` positions an axis, every channel for itself, and scales the rest by
    positions / positions kept (Ghiasi et al. 2018, arXiv:1810.12890). (C, L), (C, H, W) or
    (C, T, H, W), free.

    gamma = rate / size^2 * H W / ((H - size + 1) (W - size + 1)) is the probability that a
    block is dropped at a place where it fits. On a smaller map a block is as large as the map.
    """

    rate: float = 0.1
    size: int = 7

    def shape(self, *xs: Shape) -> Shape:
        need_rank("DropBlock", xs[0], 2, 4)
        return xs[0]

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(each=prod(y)) if self.rate else VIEW

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import DropBlock as Layer

        return Layer(self.rate, self.size)


class ShakeDrop(Unit):
    """Shakes a residual branch: times b + alpha - b alpha forwards, b + beta - b beta backwards
    (Yamada et al. 2018, arXiv:1802.02375). Any shape -> the same shape.

    For every image b is 0 with probability `rate`, alpha and beta are uniform in their
    ranges. In evaluation the branch is multiplied by the mean 1 - rate + rate E[alpha]: one
    operation an element.
    """

    kind = Kind.REGULARISATION

    rate: float = 0.5
    alpha: tuple[float, float] = (-1.0, 1.0)
    beta: tuple[float, float] = (0.0, 1.0)

    def check(self) -> None:
        is_fraction(self, "rate")
        for name in ("alpha", "beta"):
            if not _range(getattr(self, name)):
                got = getattr(self, name)
                raise SpecError(
                    f"ShakeDrop: {name} is {got!r}, wanted two numbers, the lower first"
                )

    def shape(self, *xs: Shape) -> Shape:
        return xs[0]

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=prod(y))

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(each=2)  # the two factors of every image

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import ShakeDrop as Layer

        return Layer(self.rate, self.alpha, self.beta)


def _range(value: Any) -> bool:
    if not isinstance(value, tuple) or len(cast("tuple[Any, ...]", value)) != 2:
        return False
    low, high = cast("tuple[Any, Any]", value)
    finite = all(type(n) in (int, float) and abs(n) < float("inf") for n in (low, high))
    return finite and low <= high


class Cutout(Unit):
    """Zeros one square of `size` positions an axis in every image while training, all channels
    alike (DeVries & Taylor 2017, arXiv:1708.04552). (C, L), (C, H, W) or (C, T, H, W), free.

    The first unit of a net: its centre is any position of the image, so that the square may
    hang over the border. Nothing is rescaled.
    """

    kind = Kind.REGULARISATION

    size: Axes = 16
    idle: ClassVar[bool] = True

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("Cutout", x, 2, 4)
        per_axis(self.size, len(x) - 1, "size")
        return x

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(flags=prod(y[1:]))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Cutout as Layer

        return Layer(per_axis(self.size, len(xs[0]) - 1, "size"))
