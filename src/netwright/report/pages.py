"""The HTML pages of plans: one net, and nets side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from netwright.core.cost import CONVENTION
from netwright.core.plan import Plan
from netwright.core.shape import show
from netwright.report.charts import grouped_bars, lines
from netwright.report.compare import MEASURES, comparison, stages
from netwright.report.html import Page, code, facts, table
from netwright.report.numbers import human, human_bytes
from netwright.report.table import layer_table, totals

__all__ = ["compare_page", "summary_page"]


def summary_page(plan: Plan, depth: int | None = None) -> Page:
    """Totals, what each stage costs, how the receptive field grows, every layer."""
    page = Page(plan.name, f"{show(plan.input)} to {show(plan.output)}, {len(plan)} units")
    size = plan.field.size if plan.field else None
    page.add(
        "Totals",
        facts([
            ("parameters", human(plan.params)),
            ("MACs", human(plan.macs)),
            ("activations", human(plan.activations)),
            ("memory", human_bytes(plan.memory)),
            ("receptive field", show(size) if size else "all"),
        ]),
        table(["", ""], totals(plan)),
        note=CONVENTION,
    )  # fmt: skip
    page.add("Stages", *_stage_charts([plan]))
    page.add("Receptive field", _growth([plan]))
    item = plan.item * plan.batch
    return page.add("Layers", code(layer_table(plan.rows, depth=depth, item=item)))


def compare_page(plans: Sequence[Plan]) -> Page:
    """The totals of several nets, and where each of them spends them."""
    page = Page("Nets side by side", ", ".join(plan.name for plan in plans))
    head, rows = comparison(plans)
    page.add("Totals", table(head, rows, range(2, len(head))), note=CONVENTION)
    page.add("Stages", *_stage_charts(plans))
    return page.add("Receptive field", _growth(plans))


def _stage_charts(plans: Sequence[Plan]) -> list[str]:
    charts = list[str]()
    for title, measure, said in MEASURES:
        names, values = stages(plans, measure)
        charts.append(grouped_bars(names, values, title=title, format=_or_nothing(said)))
    return charts


def _or_nothing(said: Callable[[Any], str]) -> Callable[[float], str]:
    return lambda value: said(value) if value == value else ""  # noqa: PLR0124 - NaN


def _growth(plans: Sequence[Plan]) -> str:
    """The receptive field's first axis from unit to unit."""
    series = {
        plan.name: [
            (float(i), float(row.field.size[0]))
            for i, row in enumerate(plan.rows, 1)
            if row.field.size and not row.auxiliary
        ]
        for plan in plans
    }
    return lines(series, title="Receptive field", x="unit", y="input positions")
