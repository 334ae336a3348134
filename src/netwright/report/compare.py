"""Nets side by side: totals with ratios to the first, and what each stage costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
from typing import Any

from netwright.core.plan import Plan
from netwright.core.shape import show
from netwright.report.layers import Group, field_text, groups, merged
from netwright.report.numbers import exact, human, human_bytes, ratio
from netwright.report.table import bar, text_table

__all__ = ["MEASURES", "compare_text", "comparison", "stages"]

MEASURES: tuple[tuple[str, Callable[[Group, Plan], Any], Callable[[Any], str]], ...] = (
    ("Parameters", lambda group, _: group.params, human),
    ("MACs", lambda group, _: group.macs, human),
    ("Memory of outputs", lambda group, plan: group.elements * plan.item * plan.batch, human_bytes),
)
"""What is compared stage by stage: its title, what it is of a group, how it reads."""


def comparison(plans: Sequence[Plan]) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of totals, a row a net, ratios to the first net."""
    head = ["net", "input", "params", "x", "MACs", "x", "other ops", "activations", "x",
            "memory", "x", "field"]  # fmt: skip
    first = plans[0]
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
            human_bytes(plan.memory),
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


def compare_text(plans: Sequence[Plan]) -> str:
    """The table of totals, and bars for every stage of every net."""
    head, rows = comparison(plans)
    blocks = ["\n".join(text_table(head, rows, (0, 1)))]
    for title, measure, said in MEASURES:
        names, values = stages(plans, measure)
        most = max(value for own in values.values() for value in own if value >= 0)
        made: list[list[str]] = []
        for i, name in enumerate(names):
            held = [(net, own[i]) for net, own in values.items() if own[i] >= 0]
            made += [
                [name if not j else "", net, said(value), bar(value, most)]
                for j, (net, value) in enumerate(held)
            ]
        blocks.append("\n".join(text_table([title, "net", "", ""], made, (0, 1, 3))))
    return "\n\n".join(blocks)
