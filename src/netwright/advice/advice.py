"""All findings about a net at an input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from netwright.advice.context import outgrown, unproductive
from netwright.advice.finding import Case, Finding
from netwright.advice.spending import biased, dense_head, hot, misaligned, rank
from netwright.core.net import Net, need_nets
from netwright.core.plan import Plan
from netwright.core.shape import Shape
from netwright.errors import ShapeError

__all__ = ["advise"]

CHECKS: tuple[Callable[[Case], Finding | list[Finding] | None], ...] = (
    unproductive, outgrown, dense_head, hot, rank, biased, misaligned,
)  # fmt: skip


def _sides(plan: Plan) -> tuple[int, ...]:
    """The sizes that receptive fields run along: (H, W) of a map, (T, H, W) of a sequence of
    maps, which has its channels after the time.
    """
    first = next((row for row in plan.rows if -1 in row.sources), None)
    timed = first is not None and (first.copies != 1 or getattr(first.unit, "leading", 1) == 2)
    return (plan.input[0], *plan.input[2:]) if timed else plan.input[1:]


def advise(net: Net, input: Shape | None = None, *, object: int | None = None) -> list[Finding]:
    """What in a net does little for its cost at `input`, with rewrites that mend it.

    `object` is the side of the things to be told apart, in pixels, where they are smaller
    than the image. Each remedy holds the new net and its change of parameters, MACs, memory
    and field, so that one can take it as it is.

    >>> import netwright as nw
    >>> finding = advise(nw.net("resnet18"), (3, 32, 32))[0]
    >>> finding.kind, finding.remedies[0].rules
    ('field', ('no-first-pool',))
    """
    need_nets("advise", net)
    net = replace(net, input=input) if input else net
    if object is not None and object < 1:
        raise ShapeError(f"object {object} is no side in pixels; wanted at least 1")
    plan = net.plan()
    seen = tuple([min(side, object) if object else side for side in _sides(plan)])
    case = Case(net, plan, seen)
    findings: list[Finding] = []
    for check in CHECKS:
        result = check(case)
        findings += result if isinstance(result, list) else [result] if result else []
    return findings
