"""Units, stages and nets in the order of what they cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any

from netwright.core.field import Field
from netwright.core.plan import Plan, Row
from netwright.errors import nearest
from netwright.report.layers import Group, groups

__all__ = ["PLANS", "SORTS", "ordered", "ranked"]

SORTS: dict[str, Callable[[Group], Any]] = {
    "run": lambda _: 0,
    "params": lambda group: group.params,
    "macs": lambda group: group.macs,
    "ops": lambda group: group.ops,
    "memory": lambda group: group.elements,
    "field": lambda group: _size(group.field),
}
"""What layers are sorted by; `run` is the order they run in."""

PLANS: dict[str, Callable[[Plan], Any]] = {
    "name": lambda plan: plan.name,
    "params": lambda plan: plan.params,
    "macs": lambda plan: plan.macs,
    "ops": lambda plan: plan.ops,
    "activations": lambda plan: plan.activations,
    "memory": lambda plan: plan.memory,
    "field": lambda plan: _size(plan.field),
}
"""What nets are sorted by."""


def ranked(rows: Sequence[Row], sort: str | None = None, depth: int | None = None) -> list[Group]:
    """The units, or the groups at `depth`, those that cost most first.

    Raises `UnknownName` with what there is to sort by.
    """
    lines = groups(rows, depth) if depth else [Group(row.path, (row,)) for row in rows]
    return sorted(lines, key=_key(sort, SORTS), reverse=True) if sort else lines


def ordered(plans: Sequence[Plan], sort: str | None = None) -> list[Plan]:
    """The plans, the least first; as they are given without `sort`."""
    return sorted(plans, key=_key(sort, PLANS)) if sort else [*plans]


def _key(sort: str, sorts: dict[str, Any]) -> Any:
    if sort not in sorts:
        raise nearest("column to sort by", sort, sorts)
    return sorts[sort]


def _size(field: Field | None) -> Any:
    return max(field.size) if field and field.size else inf
