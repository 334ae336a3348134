"""Second-order convolution."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from netwright.core.check import is_choice
from netwright.core.cost import Cost, Kept
from netwright.core.operation import Kind
from netwright.core.shape import Shape
from netwright.units.window import Convolution, padded

if TYPE_CHECKING:
    from torch import nn

__all__ = ["HigherOrderConv"]


class HigherOrderConv(Convolution):
    """A second-order Volterra kernel: y = b + sum_i w_i x_i + sum_ij w_ij x_i x_j over the
    n = C prod(k) inputs of a window: (C, H, W) -> (width, H', W').

    `products` are "complete", all i <= j, n (n + 1) / 2 of them (Zoumpourlis et al. 2017,
    arXiv:1708.07038), or "diagonal", the n squares. With m of them, (n + m + 1) width
    parameters and, a position of the output, (n + m) width MACs and m operations for the
    products themselves (the squares: an operation an input).

    >>> HigherOrderConv(8).cost((3, 1, 1), y=(8, 1, 1)).params
    3248
    """

    kind = Kind.OTHER

    products: str = "complete"
    bias: bool = True

    def check(self) -> None:
        super().check()
        is_choice(self, "products", ("complete", "diagonal"))

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (x,) = xs
        n = x[0] * prod(self.sliding(x).kernel)
        complete = self.products == "complete"
        pairs = n * (n + 1) // 2 if complete else n
        weights = (n + pairs) * self.width
        products = pairs * prod(y[1:]) if complete else prod(x)
        return Cost(weights + (self.width if self.bias else 0), weights * prod(y[1:]), products)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        (x,) = xs
        if self.products == "diagonal":  # the map beside its square
            return Kept(input=True, each=2 * prod(padded(x, self.sliding(x).padding)))
        n = x[0] * prod(self.sliding(x).kernel)
        pairs = n * (n + 1) // 2
        return Kept(each=(n + 3 * pairs) * prod(y[1:]), table=2 * 8 * pairs)

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import DiagonalVolterraConv, VolterraConv

        (x,) = xs
        k, s, p, d, _ = self.sliding(x)
        kind: Any = VolterraConv if self.products == "complete" else DiagonalVolterraConv
        return kind(x[0], self.width, k, s, p, d, self.bias)
