"""What a chain of parts costs, each of which is planned once at every shape it is given."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from netwright.core.interpret import output_shape
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Spec
from netwright.space.totals import Totals, totals

__all__ = ["Chain", "Part", "summed"]

Part = tuple[Hashable, Callable[[], Spec]]
"""A key that says which part it is, and what makes it."""


def summed(costs: Iterable[Totals]) -> Totals:
    """The costs of several parts together."""
    params = macs = ops = 0
    for one in costs:
        params += one.params
        macs += one.macs
        ops += one.ops
    return Totals(params, macs, ops)


class Chain:
    """Adds up parts that follow each other, and knows them by key and shape: filtering many nets
    of a space makes no spec for what was seen before.

    >>> from netwright import Conv
    >>> chain = Chain()
    >>> chain.totals((3, 8, 8), [(8, lambda: Conv(8)), (4, lambda: Conv(4))]).params
    516
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[Hashable, Shape], tuple[Shape, Totals]] = {}

    def part(self, x: Shape, key: Hashable, make: Callable[[], Spec]) -> tuple[Shape, Totals]:
        """What one part makes of `x`, and what it costs."""
        kept = self._kept.get((key, x))
        if kept is None:
            spec = make()
            kept = self._kept[key, x] = output_shape(spec, x), totals(Net(spec, x))
        return kept

    def totals(self, x: Shape, parts: Iterable[Part]) -> Totals:
        """Parameters, multiply-adds and other operations of the parts, the first given `x`."""
        costs = list[Totals]()
        for key, make in parts:
            x, own = self.part(x, key, make)
            costs.append(own)
        return summed(costs)
