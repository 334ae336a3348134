"""A net scaled until it just fits a budget: by width, depth, resolution, or all three."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil, log2

from netwright.core.net import Net, need_nets
from netwright.errors import BudgetError, RuleError, ShapeError, SpecError, nearest
from netwright.rules.scale import compound, deepened, resized
from netwright.rules.widths import times
from netwright.space.budget import Budget

__all__ = ["WAYS", "scale"]

STEPS = 28
"""Halvings of the interval in which the factor is looked for."""
SMALLEST, LARGEST = 2.0**-16, 64.0
"""Factors that are tried."""


def _deeper(net: Net, factor: float) -> Net:
    return deepened(net, lambda depth: ceil(depth * factor))


def _all(net: Net, factor: float) -> Net:
    return compound(net, log2(factor))


WAYS: dict[str, Callable[[Net, float], Net]] = {
    "width": times,
    "depth": _deeper,
    "resolution": resized,
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
    size 1.15^phi; Tan & Le 2019, arXiv:1905.11946). Widths stay multiples of 8, stages keep
    a block, classifiers their classes. Raises `BudgetError` where even the smallest is too
    large.

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
    best: tuple[float, Net] | None = None
    low, high = SMALLEST, LARGEST
    for _ in range(STEPS):
        middle = (low * high) ** 0.5
        made = _scaled(net, WAYS[by], middle)
        excess = budget.excess(made.plan()) if made else 0
        if made and excess <= 1 and (best is None or excess >= best[0]):
            best = excess, made
        if excess > 1:
            high = middle
        else:
            low = middle
    if best is None:
        raise BudgetError(
            f"{net.name} does not come within {budget.describe()} by {by}; "
            "scale another way, or start from a smaller net"
        )
    return best[1]


def _scaled(net: Net, way: Callable[[Net, float], Net], factor: float) -> Net | None:
    """The net scaled by a factor; None where that is too small for its own strides."""
    try:
        made = way(net, factor)
        made.plan()
    except RuleError:  # a step too small to change anything
        return net
    except ShapeError:
        return None
    return made
