"""The HTML pages of nets: the story of one, its layers, and several side by side."""

from __future__ import annotations

from collections.abc import Sequence

from netwright.core.cost import CONVENTION
from netwright.core.plan import Plan
from netwright.core.shape import show
from netwright.drawing.blocks_svg import block_diagram
from netwright.drawing.charts import columns, grouped_bars, lines
from netwright.drawing.html import Page, facts, pairs, table
from netwright.report.compare import MEASURES, comparison, stages
from netwright.report.layers import Group, field_text, groups
from netwright.report.numbers import MB, UNITS, human, human_bytes
from netwright.report.outline import Part
from netwright.report.table import COLUMNS, layer_cells, signs
from netwright.report.totals import totals

__all__ = ["compare_page", "story_page", "summary_page"]

DIAGRAM = "Of every kind of block the first is opened. Point at a box for what it costs."


def summary_page(
    plan: Plan,
    depth: int | None = None,
    more: Sequence[tuple[str, str]] = (),
    *,
    tree: Part | None = None,
    sort: str | None = None,
) -> Page:
    """Totals and `more`, the diagram of the `tree` where there is one, what each stage and each
    layer costs, how the receptive field grows.
    """
    page = _opened(plan)
    page.add("Totals", _cards(plan), pairs([*totals(plan), *more]), note=f"{CONVENTION} {UNITS}")
    if tree:
        page.add("Diagram", block_diagram(tree), note=DIAGRAM)
    page.add("Stages", *_stage_charts([plan]))
    page.add("Receptive field", _growth([plan]))
    item = plan.item * plan.batch
    _, cells = layer_cells(plan.rows, depth=depth, item=item, sort=sort or "run")
    numeric = [i for i, column in enumerate(COLUMNS) if not column.left]
    layers = table(
        [column.title for column in COLUMNS], cells[:-1], numeric, foot=cells[-1:], sortable=True
    )
    return page.add("Layers", *_layer_charts(plan), layers, note="; ".join(signs(cells)))


def story_page(plan: Plan, tree: Part, story: Sequence[tuple[str, str]]) -> Page:
    """A net's `story`, its diagram, what its stages cost, how its receptive field grows."""
    page = _opened(plan)
    page.add("Story", _cards(plan), pairs(story), note=f"{CONVENTION} {UNITS}")
    page.add("Diagram", block_diagram(tree), note=DIAGRAM)
    head = ["stage", "output", *[title for title, _, _ in MEASURES], "field"]
    rows = [
        [group.path or plan.name, show(group.output),
         *[text(measure(group, plan), even=True) for _, measure, text in MEASURES],
         field_text(group.field)]
        for group in groups(plan.rows)
    ]  # fmt: skip
    table_ = table(head, rows, range(2, len(head)), sortable=True)
    page.add("Stages", table_, *_stage_charts([plan]))
    return page.add("Receptive field", _growth([plan]))


def _opened(plan: Plan) -> Page:
    return Page(plan.name, f"{show(plan.input)} to {show(plan.output)}, {len(plan)} units")


def _cards(plan: Plan) -> str:
    seen = plan.field
    side = "all" if seen is None else show(seen.size) if seen.size else field_text(seen)
    return facts(
        [
            ("parameters", human(plan.params)),
            ("MACs", human(plan.macs)),
            ("activations", human(plan.activations)),
            ("memory", human_bytes(plan.memory)),
            ("receptive field", side),
        ]
    )


def _layer_charts(plan: Plan) -> list[str]:
    """Of each measure a column a unit, in the order they run."""
    units = [Group(row.path, (row,)) for row in plan.rows]
    charts = list[str]()
    for title, measure, text in MEASURES:
        bytes_ = text is human_bytes
        rows = [(unit.path, measure(unit, plan) / (MB if bytes_ else 1)) for unit in units]
        name = f"{title[0].upper()}{title[1:]}{' in MB' if bytes_ else ''}, unit by unit"
        charts.append(columns(rows, title=name, format=_megabytes if bytes_ else human))
    return charts


def _megabytes(size: float) -> str:
    return human_bytes(MB * size)


def compare_page(plans: Sequence[Plan], first: Plan) -> Page:
    """The totals of several nets with ratios to the `first`, and where each of them spends them."""
    page = Page("Nets side by side", ", ".join(plan.name for plan in plans))
    head, rows = comparison(plans, first)
    page.add(
        "Totals",
        table(head, rows, range(2, len(head)), sortable=True),
        note=f"{CONVENTION} {UNITS}",
    )
    page.add("Stages", *_stage_charts(plans))
    return page.add("Receptive field", _growth(plans))


def _stage_charts(plans: Sequence[Plan]) -> list[str]:
    charts = list[str]()
    for title, measure, text in MEASURES:
        names, values = stages(plans, measure)
        charts.append(grouped_bars(names, values, title=title[0].upper() + title[1:], format=text))
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
