"""Dense layers in a row."""

from __future__ import annotations

from netwright.core.check import is_count
from netwright.core.shape import Shape, need_rank
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.units.activation import Maxout, ReLU
from netwright.units.linear import Linear

__all__ = ["MLP", "MaxoutLinear"]


class MLP(Block):
    """Dense layers with an activation between each two: (F,) -> (widths[-1],), or (T, F) ->
    (T, widths[-1]) position by position.

    With `Step` as activation, and behind the last layer too, one layer carves a half-plane out
    of the plane, two any convex polygon, three any polygon (Lippmann 1987).

    >>> MLP((64, 10)).expand((784,)).names
    ('fc1', 'act1', 'fc2')
    """

    widths: tuple[int, ...]
    act: Spec = ReLU()
    bias: bool = True

    def expand(self, x: Shape) -> Spec:
        parts: dict[str, Spec] = {}
        for i, width in enumerate(self.widths, 1):
            parts |= {f"fc{i}": Linear(width, self.bias), f"act{i}": self.act}
        parts.popitem()
        return Sequential(**parts)


class MaxoutLinear(Block):
    """The largest of `pieces` linear functions for every output: (F,) -> (width,).

    Goodfellow et al. 2013 (arXiv:1302.4389): (F + 1) width pieces parameters. For a
    convolution, put `Maxout` behind a `Conv`.

    >>> MaxoutLinear(10, 3).expand((64,)).names
    ('fc', 'max')
    """

    width: int
    pieces: int = 2
    bias: bool = True

    def check(self) -> None:
        is_count(self, "pieces")

    def expand(self, x: Shape) -> Spec:
        need_rank("MaxoutLinear", x, 1, 1)
        return Sequential(fc=Linear(self.width * self.pieces, self.bias), max=Maxout(self.pieces))
