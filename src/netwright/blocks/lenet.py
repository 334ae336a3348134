"""The parts of LeNet-5 (LeCun et al. 1998) that later nets left behind."""

from __future__ import annotations

from netwright.core.shape import Axes, Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Sequential
from netwright.errors import SpecError
from netwright.units.channels import SelectChannels
from netwright.units.conv import Conv

__all__ = ["TableConv"]


class TableConv(Block):
    """A convolution whose map i reads the input maps `table[i]` alone: (C, H, W) ->
    (len(table), H', W').

    Sparse connections break the symmetry between maps and save weights (LeCun et al. 1998,
    section II.B): prod(k) a connection and a bias a map.

    >>> TableConv(((0, 1), (1, 2), (2, 0)), 5).expand((3, 14, 14)).names
    ('0', '1', '2')
    """

    table: tuple[tuple[int, ...], ...]
    kernel: Axes = 3

    def check(self) -> None:
        if not self.table:
            raise SpecError("TableConv: table is (), wanted a tuple of tuples of channels")

    def expand(self, x: Shape) -> Spec:
        conv = Conv(1, self.kernel, padding="valid")
        return Concat(*[Sequential(maps=SelectChannels(row), conv=conv) for row in self.table])
