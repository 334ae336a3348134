"""A net scaled until it just fits a budget: by width, depth, resolution, or all three."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, log2

from netwright.core.net import Net, need_nets
from netwright.core.rewrite import renamed
from netwright.errors import BudgetError, RuleError, ShapeError, SpecError, nearest
from netwright.report.numbers import human, human_bytes
from netwright.rules.scale import ALPHA, BETA, GAMMA, NO_STAGE, compounded, deepened, strided
from netwright.rules.widths import times
from netwright.space.budget import Budget

__all__ = ["WAYS", "scale"]

STEPS = 16
"""Halvings of the interval in which the factor is looked for."""
SMALLEST, LARGEST = 2.0**-16, 64.0
"""Factors that are tried."""


def _deeper(net: Net, factor: float) -> Net:
    return deepened(net, lambda depth: ceil(depth * factor))


def _all(net: Net, factor: float) -> Net:
    phi = log2(factor)
    return compounded(net, phi, ALPHA, BETA, lambda net: strided(net, GAMMA**phi))


WAYS: dict[str, Callable[[Net, float], Net]] = {
    "width": times,
    "depth": _deeper,
    "resolution": strided,
    "compound": _all,
}
"""What grows with the factor; `compound` doubles the MACs with it."""


def scale(
    net: Net,
    *,
    params: float | None = None,
    macs: float | None = None,
    memory: float | None = None,
    by: str = "compound",
) -> Net:
    """The largest scaling of a net within bounds of parameters, MACs, and bytes of inference.

    `by` is `width`, `depth`, `resolution` or `compound` (depth 1.2^phi, width 1.1^phi, image
    size 1.15^phi; Tan & Le 2019, arXiv:1905.11946). Widths stay multiples of 8, sides change by
    whole strides of the net, stages keep a block, classifiers their classes; where one step is
    too much already, it is the net itself. The name of the net says its bounds:
    `resnet50+scale:macs=300M`. Raises `BudgetError` where even the smallest is too large, or
    nothing grows that way.

    >>> import netwright as nw
    >>> small = nw.scale(nw.net("resnet50"), macs=300e6)
    >>> small.plan().macs <= 300e6, small.plan().output
    (True, (1000,))
    """
    need_nets("scale", net)
    if by not in WAYS:
        raise nearest("way to scale", by, WAYS)
    bounds = {"params": params, "macs": macs, "memory": memory}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    numbers = [isinstance(bound, int | float) and bound >= 1 for bound in given.values()]
    if not given or not all(numbers):
        raise SpecError("scale wants a bound above 0 of params, macs or memory, such as macs=300e6")
    budget = Budget(**{name: int(bound) for name, bound in given.items()})
    tried, fault = _tried(net, WAYS[by], budget)
    if all(scaled == net for _, scaled in tried):
        raise BudgetError(f"nothing of {net.name} changes by {by}{fault or _same(net, by)}")
    best = max(tried, key=lambda one: one[0] if one[0] <= 1 else -one[0])
    if best[0] > 1:
        plan = best[1].plan()
        least = Budget(**{name: getattr(plan, name) for name in given}).describe()
        raise BudgetError(
            f"{net.name} does not come within {budget.describe()} by {by}, but only to "
            f"{least}{fault}; scale another way, or start from a smaller net"
        )
    return best[1] if best[1] == net else renamed(best[1], _change(budget, by))


def _change(budget: Budget, by: str) -> str:
    """A scaling as part of a net's name."""
    texts = {name: human_bytes(bound) if name == "memory" else human(bound)
             for name, bound in budget.bounds().items()}  # fmt: skip
    words = [f"{name}={text.replace(' ', '')}" for name, text in texts.items()]
    return "scale:" + ",".join([*words, *([by] if by != "compound" else [])])


def _same(net: Net, by: str) -> str:
    """Why nothing changes, where every factor can be."""
    if by != "depth":
        return ""
    if deepened(net, lambda depth: depth + 1) == net:
        return f": it {NO_STAGE}"
    return ": its stages keep a block each and the sizes of their maps"


def _tried(
    net: Net, way: Callable[[Net, float], Net], budget: Budget
) -> tuple[list[tuple[float, Net]], str]:
    """Nets on the way to the bound, with how much of it they need; and why others do not fit."""
    tried, fault = [(budget.excess(net.plan()), net)], ""
    low, high = (1.0, LARGEST) if tried[0][0] <= 1 else (SMALLEST, 1.0)
    for _ in range(STEPS):
        middle = (low * high) ** 0.5
        try:
            scaled = way(net, middle)
            excess = budget.excess(scaled.plan())
        except (RuleError, ShapeError, SpecError) as error:
            fault = f": {error}"
            excess = 2.0 if middle > 1 else 0.0  # nearer to the net as it is
        else:
            tried.append((excess, scaled))
        low, high = (low, middle) if excess > 1 else (middle, high)
    return tried, fault
