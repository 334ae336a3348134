"""The HTML pages of plans: one net, and nets side by side."""

from __future__ import annotations

from collections.abc import Sequence

from netwright.core.cost import CONVENTION
from netwright.core.plan import Plan
from netwright.core.shape import show
from netwright.report.charts import grouped_bars, lines
from netwright.report.compare import MEASURES, comparison, stages
from netwright.report.html import Page, facts, table
from netwright.report.numbers import human, human_bytes
from netwright.report.table import COLUMNS, layer_cells, signs, totals

__all__ = ["compare_page", "summary_page"]


def summary_page(
    plan: Plan, depth: int | None = None, more: Sequence[tuple[str, str]] = ()
) -> Page:
    """Totals and `more`, what each stage costs, how the receptive field grows, every layer."""
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
        table(["", ""], [*totals(plan), *more]),
        note=CONVENTION,
    )  # fmt: skip
    page.add("Stages", *_stage_charts([plan]))
    page.add("Receptive field", _growth([plan]))
    _, made = layer_cells(plan.rows, depth=depth, item=plan.item * plan.batch)
    numeric = [i for i, column in enumerate(COLUMNS) if not column.left]
    layers = table([column.title for column in COLUMNS], made, numeric)
    return page.add("Layers", layers, note="; ".join(signs(made)))


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
        charts.append(grouped_bars(names, values, title=title[0].upper() + title[1:], format=said))
    return charts


def _growth(plans: Sequence[Plan]) -> str:
    """The first axis of the largest receptive field so far, from unit to unit."""
    series = dict[str, list[tuple[float, float]]]()
    for plan in plans:
        size, points = 1, series.setdefault(plan.name, [])
        for i, row in enumerate(plan.rows, 1):
            if row.field.size and not row.auxiliary:
                size = max(size, row.field.size[0])
                points.append((i, size))
    return lines(series, title="Largest field so far", x="unit", y="input positions")
