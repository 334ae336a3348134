"""What a chain of parts costs, each of which is planned once at every shape it is given."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from netwright.core.interpret import output_shape
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Spec
from netwright.space.totals import Totals, totals

__all__ = ["Chain", "Part"]

Part = tuple[Hashable, Callable[[], Spec]]
"""A key that says which part it is, and what makes it."""


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

    def totals(self, x: Shape, parts: Iterable[Part]) -> Totals:
        """Parameters, multiply-adds and other operations of the parts, the first given `x`."""
        params = macs = ops = 0
        for key, make in parts:
            kept = self._kept.get((key, x))
            if kept is None:
                spec = make()
                kept = self._kept[key, x] = output_shape(spec, x), totals(Net(spec, x))
            x, own = kept
            params += own.params
            macs += own.macs
            ops += own.ops
        return Totals(params, macs, ops)
