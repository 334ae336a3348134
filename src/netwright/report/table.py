"""Tables in plain text, and the one every net has: a line a unit, and the totals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from netwright.core.cost import CONVENTION
from netwright.core.plan import Plan, Row
from netwright.core.shape import show
from netwright.report.layers import Group, Line, field_text, jump_text, tree
from netwright.report.numbers import exact, is_number
from netwright.report.ranking import ranked
from netwright.report.totals import totals

__all__ = [
    "COLUMNS",
    "Column",
    "bar",
    "kilobytes",
    "layer_cells",
    "layer_table",
    "plan_table",
    "signs",
    "strong",
    "text_table",
]

SIGNS = {
    "~": "~ the box around a field with holes or an uneven edge",
    "all": "all: sees the whole input; 35+all: 35 by itself, the rest by way of a global operation",
    "?": "? nobody can say what it sees",
    "*": "* only training runs it: its parameters count, its work does not",
}


def text_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], left: Collection[int] = (0,)
) -> list[str]:
    """Lines of equal length: the head, a rule, the rows; columns in `left` stand left.

    >>> for line in text_table(["net", "params"], [["a", "25"], ["bc", "1,000"]]):
    ...     print(line)
    net  params
    -----------
    a        25
    bc    1,000
    """
    cells = [list(head), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def bar(value: float, most: float, width: int = 24) -> str:
    """A bar of at most `width` blocks, drawn to eighths of a block.

    >>> bar(5, 8, width=2)
    '█▎'
    """
    eighths = round(8 * width * value / most) if most else 0
    whole, rest = divmod(eighths, 8)
    return "█" * whole + " ▏▎▍▌▋▊▉"[rest].strip()


def strong(text: str) -> str:
    """Text in bold, for a terminal."""
    return f"\x1b[1m{text}\x1b[0m"


def kilobytes(count: Any) -> str:
    """Bytes in KB of 1024: one decimal, three digits of less than one."""
    size = count / 1024
    if not is_number(size):
        return str(size)
    return f"{size:,.1f}" if size >= 1 else f"{size:.3g}"


class Column(NamedTuple):
    """A column of the layer table; for want of width those with the highest `spare` go first."""

    title: str
    left: bool = False
    spare: int = 0


COLUMNS = (
    Column("layer", left=True),
    Column("operation", left=True, spare=1),
    Column("input", left=True, spare=8),
    Column("output", left=True),
    Column("window", left=True, spare=3),
    Column("KB", spare=2),
    Column("%", spare=7),
    Column("params"),
    Column("%", spare=6),
    Column("MACs"),
    Column("%", spare=5),
    Column("field"),
    Column("jump", spare=4),
)


def _cells(line: Line, whole: Group, item: int) -> list[str]:
    """A line of the layer table, a cell a column."""
    group = line.group
    return [
        _layer(line),
        _operation(group),
        _inputs(group),
        _copies(group.running[-1], show(group.output)),
        _window(group),
        kilobytes(group.elements * item),
        _percent(group.elements, whole.elements),
        exact(group.params),
        _percent(group.params, whole.params),
        exact(group.macs),
        _percent(group.macs, whole.macs),
        field_text(group.field),
        jump_text(group.field),
    ]


def _percent(part: Any, whole: Any) -> str:
    told = is_number(part) and is_number(whole) and whole
    return f"{100 * part / whole:.1f}" if told else "-"


def _layer(line: Line) -> str:
    return "  " * line.indent + line.name + (" *" if line.group.auxiliary else "")


def _operation(group: Group) -> str:
    return group.unit.label if group.unit else f"{len(group.rows)} units"


def _inputs(group: Group) -> str:
    first, *others = group.inputs
    alike = all(other == first for other in others)
    several = f"{len(group.inputs)} of {show(first)}" if others and alike else show(group.inputs)
    return _copies(group.rows[0], several)


def _copies(row: Row, shape: str) -> str:
    """Of a unit that every step of time passes, how many of that shape."""
    return shape if row.copies == 1 else f"{row.copies} of {shape}"


def _window(group: Group) -> str:
    window = group.unit.sliding(group.inputs[0]) if group.unit else None
    return str(window) if window else ""


def layer_cells(
    rows: Sequence[Row], *, depth: int | None = None, item: int = 4, sort: str | None = None
) -> tuple[list[Line], list[list[str]]]:
    """The tree of the layers with the total at its end, and for each line a cell a column.

    To be sorted it becomes a list, of units or of groups at `depth`.
    """
    if not rows:
        return [], []
    whole = Group("", tuple(rows))
    lines = (
        [Line(0, group.path or "net", group) for group in ranked(rows, sort, depth)]
        if sort
        else [*tree(rows, depth)]
    )
    lines.append(Line(0, "total", whole))
    return lines, [_cells(line, whole, item) for line in lines]


def layer_table(
    rows: Sequence[Row],
    *,
    depth: int | None = None,
    item: int = 4,
    sort: str | None = None,
    width: int | None = None,
    bold: bool = False,
) -> str:
    """A line a unit under its stage and block, or a line a group down to `depth`; with `sort`
    (see `ranking.SORTS`) a list.

    `item` is the bytes of an element, times the batch. For want of `width` columns are left
    out, never digits; `bold` marks the lines that sum up others.
    """
    lines, made = layer_cells(rows, depth=depth, item=item, sort=sort)
    if not made:
        return "no units"
    keep = _fitting(made, width)
    table = text_table(
        [COLUMNS[i].title for i in keep],
        [[cells[i] for i in keep] for cells in made],
        [place for place, i in enumerate(keep) if COLUMNS[i].left],
    )
    table.insert(-1, table[1])
    if bold:
        sums = {2 + i for i, line in enumerate(lines[:-1]) if not line.group.unit}
        sums |= {0, len(table) - 1}
        table = [strong(text) if i in sums else text for i, text in enumerate(table)]
    notes = signs(made)
    if gone := dict.fromkeys(column.title for i, column in enumerate(COLUMNS) if i not in keep):
        notes.append(f"left out for want of width: {', '.join(gone)}")
    return "\n".join([*table, *notes])


def signs(made: list[list[str]]) -> list[str]:
    """What the signs in these lines of the layer table mean."""
    seen = " ".join(cells[0] + cells[-2] for cells in made)
    return [note for sign, note in SIGNS.items() if sign in seen]


def _fitting(made: list[list[str]], width: int | None) -> list[int]:
    """Indices of the columns that find room."""
    columns = zip(COLUMNS, zip(*made, strict=True), strict=True)
    widths = [max(len(column.title), *map(len, cells)) for column, cells in columns]
    keep = list(range(len(COLUMNS)))
    spare = sorted((i for i in keep if COLUMNS[i].spare), key=lambda i: COLUMNS[i].spare)
    while width and spare and sum(widths[i] + 2 for i in keep) - 2 > width:
        keep.remove(spare.pop())
    return keep


def plan_table(
    plan: Plan,
    depth: int | None = None,
    *,
    sort: str | None = None,
    width: int | None = None,
    bold: bool = False,
    more: Sequence[tuple[str, str]] = (),
) -> str:
    """A plan as text: the table of its layers, its totals and `more`, how they were counted."""
    item = plan.item * plan.batch
    table = layer_table(plan.rows, depth=depth, item=item, sort=sort, width=width, bold=bold)
    pairs = [*totals(plan), *more]
    room = max(len(name) for name, _ in pairs)
    title = strong(plan.name) if bold else plan.name
    sums = [f"{name.ljust(room)}  {text}" for name, text in pairs]
    return "\n".join([f"{title}  {show(plan.input)}", "", table, "", *sums, "", CONVENTION])
