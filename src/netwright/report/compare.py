"""Nets side by side: totals with ratios to the first, and what each stage costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
from typing import Any

from netwright.core.cost import CONVENTION
from netwright.core.plan import Plan
from netwright.core.shape import show
from netwright.report.layers import Group, field_text, groups, merged
from netwright.report.numbers import UNITS, exact, human, human_bytes, ratio
from netwright.report.table import bar, text_table, wrapped

__all__ = ["MEASURES", "compare_text", "comparison", "stage_table", "stages"]

MEASURES: tuple[tuple[str, Callable[[Group, Plan], Any], Callable[..., str]], ...] = (
    ("params", lambda group, _: group.params, human),
    ("MACs", lambda group, _: group.macs, human),
    ("memory of outputs", lambda group, plan: group.elements * plan.item * plan.batch, human_bytes),
)
"""What is compared stage by stage: its title, what it is of a group, how it reads."""


BAR = 16
"""Blocks of the longest bar in text."""

SPARE = (8, 7, 6, 10, 5, 3, 1, 11, 9)
"""Columns of totals that are left out for want of width, the first ones first."""


def comparison(plans: Sequence[Plan], first: Plan) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of totals, a row a net, with ratios to the `first` net."""
    head = ["net", "input", "params", "x", "MACs", "x", "other ops", "activations", "x",
            "memory", "x", "field"]  # fmt: skip
    rows = [
        [
            plan.name,
            show(plan.input),
            exact(plan.params),
            ratio(plan.params, first.params),
            exact(plan.macs),
            ratio(plan.macs, first.macs),
            exact(plan.ops),
            exact(plan.activations),
            ratio(plan.activations, first.activations),
            human_bytes(plan.memory, even=True),
            ratio(plan.memory, first.memory),
            field_text(plan.field) if plan.field else "all",
        ]
        for plan in plans
    ]
    return head, rows


def stages(
    plans: Sequence[Plan], measure: Callable[[Group, Plan], Any]
) -> tuple[list[str], dict[str, list[float]]]:
    """Names of the stages of all nets, and for each net a value a stage, NaN where it has none."""
    parts = [{group.path: group for group in groups(plan.rows)} for plan in plans]
    names = merged([list(part) for part in parts])
    titles = _distinct([plan.name for plan in plans])
    values = {
        title: [measure(part[name], plan) if name in part else nan for name in names]
        for title, part, plan in zip(titles, parts, plans, strict=True)
    }
    return names, values


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, numbered where one comes again."""
    return [
        name if name not in names[:i] else f"{name} ({names[:i].count(name) + 1})"
        for i, name in enumerate(names)
    ]


def compare_text(plans: Sequence[Plan], first: Plan, width: int | None = None) -> str:
    """The table of totals with ratios to the `first` net, and for each net its stages with bars
    on one scale for all nets.
    """
    head, rows = comparison(plans, first)
    most = _most(plans)
    blocks = [
        text_table(head, rows, (0, 1), width=width, spare=SPARE),
        *[stage_table(plan, plan.name, most, width=width) for plan in plans],
        wrapped(f"{CONVENTION} {UNITS}", width),
    ]
    return "\n\n".join("\n".join(block) for block in blocks)


def _most(plans: Sequence[Plan]) -> list[Any]:
    """Of each measure the largest of all stages of all nets."""
    return [
        max([measure(group, plan) for plan in plans for group in groups(plan.rows)], default=0)
        for _, measure, _ in MEASURES
    ]


def stage_table(
    plan: Plan, title: str, most: Sequence[Any] = (), longest: int = BAR, width: int | None = None
) -> list[str]:
    """A line a stage with bars, the `longest` blocks long for `most` of each measure."""
    most = most or _most([plan])
    rows = list[list[str]]()
    for group in groups(plan.rows):
        cells = [group.path or plan.name, show(group.output)]
        for (_, measure, text), peak in zip(MEASURES, most, strict=True):
            value = measure(group, plan)
            cells += [text(value, even=True), bar(value, peak, longest)]
        rows.append(cells)
    titles = [word for title, _, _ in MEASURES for word in (title, "")]
    return text_table([title, "output", *titles], rows, (0, 1, 3, 5, 7), width=width,
                      spare=(7, 5, 3, 1, 6))  # fmt: skip
