"""Parameters and multiply-adds of many nets in little time: what repeats is counted once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from netwright.core.graph import Shared, Tap
from netwright.core.interpret import Interpreter
from netwright.core.net import Net
from netwright.core.planner import facts
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec, Unit

__all__ = ["Totals", "totals"]


class Totals(NamedTuple):
    """What a plan would say of a net: learnt numbers, multiply-adds and other operations."""

    params: Any = 0
    macs: Any = 0
    ops: Any = 0


class _Count(Interpreter[Shape]):
    """Carries shapes, and adds up costs; a block at an input is walked once, then known."""

    def __init__(self) -> None:
        self.params = self.macs = self.ops = 0
        self.plain = True  # no part that counts otherwise the second time
        self._auxiliary = False

    def shape_of(self, value: Shape) -> Shape:
        return value

    def step(self, value: Shape) -> Shape:
        self.plain = False
        return value[1:]

    def steps(self, value: Shape, like: Shape) -> Shape:
        return (like[0], *value)

    def unit(self, unit: Unit, path: str, xs: tuple[Shape, ...]) -> Shape:
        y, cost, _ = facts(unit, xs)
        self.params += cost.params
        if not self._auxiliary:
            self.macs += cost.macs
            self.ops += cost.ops
        return y

    def tap(self, tap: Tap, path: str, xs: tuple[Shape, ...]) -> Any:
        before, self._auxiliary = self._auxiliary, True
        try:
            return super().tap(tap, path, xs)
        finally:
            self._auxiliary = before

    def shared(self, shared: Shared, path: str, xs: tuple[Shape, ...]) -> Any:
        self.plain = False
        return super().shared(shared, path, xs)

    def __call__(self, spec: Spec, path: str, xs: tuple[Shape, ...]) -> Any:
        if isinstance(spec, Block) and all(type(x) is tuple for x in xs):
            y, inner, plain = _block(spec, xs)
            self.plain = self.plain and plain
            self.params += inner.params
            if not self._auxiliary:
                self.macs += inner.macs
                self.ops += inner.ops
            return y
        return super().__call__(spec, path, xs)


@lru_cache(maxsize=65536)
def _block(block: Block, xs: tuple[Shape, ...]) -> tuple[Any, Totals, bool]:
    """What a block makes of these shapes, what is in it, and whether it is that everywhere."""
    count = _Count()
    y = count(count.expand(block, "", xs), "", xs)
    return y, Totals(count.params, count.macs, count.ops), count.plain


def totals(net: Net) -> Totals:
    """Parameters, multiply-adds and other operations of a net, as its plan has them.

    >>> import netwright as nw
    >>> totals(nw.net("resnet18")).params
    11689512
    """
    count = _Count()
    count(net.spec, "", (net.input,))
    if count.plain:
        return Totals(count.params, count.macs, count.ops)
    plan = net.plan()  # shared weights count once, steps of time each
    return Totals(plan.params, plan.macs, plan.ops)
