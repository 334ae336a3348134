"""Tables as Markdown, for an issue or a README."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from netwright.core.cost import CONVENTION
from netwright.core.plan import Plan
from netwright.core.shape import show
from netwright.report.compare import comparison
from netwright.report.numbers import UNITS
from netwright.report.table import COLUMNS, layer_cells, signs
from netwright.report.totals import totals

__all__ = ["compare_markdown", "markdown_table", "plan_markdown"]


def markdown_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], left: Collection[int] = (0,)
) -> str:
    r"""The table with pipes; columns in `left` stand left.

    >>> print(markdown_table(["net", "params"], [["a|b", "25"], ["c", "1,000"]]))
    | net  | params |
    | :--- | -----: |
    | a\|b |     25 |
    | c    |  1,000 |
    """
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (head, *rows)]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    rule = [
        ":" + "-" * (width - 1) if i in left else "-" * (width - 1) + ":"
        for i, width in enumerate(widths)
    ]
    lines = [cells[0], rule, *cells[1:]]
    return "\n".join(
        "| " + " | ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ) + " |"
        for line in lines
    )  # fmt: skip


def plan_markdown(
    plan: Plan,
    depth: int | None = None,
    sort: str | None = None,
    more: Sequence[tuple[str, str]] = (),
) -> str:
    """A plan: a line a unit, or a group at `depth`, its totals and `more`."""
    item = plan.item * plan.batch
    _, cells = layer_cells(plan.rows, depth=depth, item=item, sort=sort or "run")
    left = [i for i, column in enumerate(COLUMNS) if column.left]
    return "\n\n".join(
        [
            f"## {plan.name} {show(plan.input)}",
            markdown_table([column.title for column in COLUMNS], cells, left),
            _listed([*totals(plan), *more]),
            *[note.replace("*", "\\*") for note in signs(cells)],
            f"{CONVENTION} {UNITS}",
        ]
    )


def compare_markdown(plans: Sequence[Plan], first: Plan) -> str:
    """The totals of several nets with ratios to the first."""
    return f"{markdown_table(*comparison(plans, first), (0, 1))}\n\n{CONVENTION} {UNITS}"


def _listed(pairs: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- **{name}:** {text}" for name, text in pairs)
