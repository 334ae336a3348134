"""Tables in plain text, and the one every net has: a line a unit, and the totals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from textwrap import wrap
from typing import Any, NamedTuple

from netwright.core.cost import CONVENTION
from netwright.core.plan import Plan, Row
from netwright.core.shape import show
from netwright.report.layers import Group, Line, field_text, jump_text, tree
from netwright.report.numbers import UNITS, exact, is_number
from netwright.report.ranking import ranked
from netwright.report.totals import totals

__all__ = [
    "COLUMNS",
    "LEAST",
    "Column",
    "bar",
    "kilobytes",
    "layer_cells",
    "layer_table",
    "plan_table",
    "shortened",
    "signs",
    "strong",
    "text_table",
    "wrapped",
]

SIGNS = {
    "~": "~ the box around a field with holes or an uneven edge",
    "all": "all: sees the whole input; 35+all: 35 by itself, the rest by way of a global operation",
    "?": "? nobody can say what it sees",
    "*": "* only training runs it: its parameters count, its work does not",
}

LEAST = 8
"""Columns that words keep."""


def text_table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    left: Collection[int] = (0,),
    *,
    width: int | None = None,
    spare: Sequence[int] = (),
) -> list[str]:
    """The head, a rule, the rows; columns in `left` stand left.

    For want of `width` the columns in `spare` are left out, the first ones first, which a last
    line says; then words at the left are cut, never digits.

    >>> for line in text_table(["net", "params"], [["a", "25"], ["bc", "1,000"]]):
    ...     print(line)
    net  params
    -----------
    a        25
    bc    1,000
    """
    cells = [list(head), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    keep = _fitting(widths, width, spare)
    room = dict(zip(keep, _cut([widths[i] for i in keep], [i in left for i in keep], width),
                    strict=True))  # fmt: skip
    lines = [
        "  ".join(
            shortened(row[i], room[i]).ljust(room[i]) if i in left else row[i].rjust(room[i])
            for i in keep
        ).rstrip()
        for row in cells
    ]
    rule = "-" * (sum(room.values()) + 2 * len(keep) - 2)
    gone = dict.fromkeys(head[i] for i in range(len(head)) if i not in keep and head[i])
    note = wrapped(f"left out for want of width: {', '.join(gone)}", width) if gone else []
    return [lines[0], rule, *lines[1:], *note]


def shortened(text: str, room: int) -> str:
    """The text, or as much of its start as there is room for."""
    return text if len(text) <= room else text[: room - 1] + "…"


def wrapped(text: str, width: int | None, indent: int = 0) -> list[str]:
    """The text in lines of at most `width`, all but the first `indent` further in."""
    if width is None or len(text) <= width:
        return [text]
    return wrap(text, max(width, indent + LEAST), subsequent_indent=" " * indent,
                break_on_hyphens=False)  # fmt: skip


def _fitting(widths: Sequence[int], width: int | None, spare: Sequence[int]) -> list[int]:
    """Indices of the columns that find room."""
    keep, going = [*range(len(widths))], [*spare]
    while width and going and sum(widths[i] + 2 for i in keep) - 2 > width:
        keep.remove(going.pop(0))
    return keep


def _cut(widths: Sequence[int], words: Sequence[bool], width: int | None) -> list[int]:
    """Widths of columns, of which those of `words` give what is too much, the widest first."""
    room = [*widths]
    over = sum(room) + 2 * len(room) - 2 - width if width else 0
    while over > 0:
        most, i = max(((room[i], -i) for i, word in enumerate(words) if word), default=(0, 0))
        if most <= LEAST:
            break
        room[-i], over = most - 1, over - 1
    return room


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
    """Bytes in KB of 1024, one decimal."""
    size = count / 1024
    if not is_number(size):
        return str(size)
    return "<0.1" if 0 < size < 0.05 else f"{size:,.1f}"


class Column(NamedTuple):
    """A column of the layer table; for want of width those with the highest `spare` go first."""

    title: str
    left: bool = False
    spare: int = 0


COLUMNS = (
    Column("layer", left=True),
    Column("operation", left=True, spare=3),
    Column("input", left=True, spare=10),
    Column("output", left=True, spare=2),
    Column("window", left=True, spare=5),
    Column("out KB", spare=4),
    Column("%", spare=9),
    Column("params"),
    Column("%", spare=8),
    Column("MACs"),
    Column("%", spare=7),
    Column("field", spare=1),
    Column("jump", spare=6),
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
    sensible = is_number(part) and is_number(whole) and whole
    return f"{100 * part / whole:.1f}" if sensible else "-"


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
    lines, cells = layer_cells(rows, depth=depth, item=item, sort=sort)
    if not cells:
        return "no units"
    spare = sorted((i for i, column in enumerate(COLUMNS) if column.spare),
                   key=lambda i: -COLUMNS[i].spare)  # fmt: skip
    left = [i for i, column in enumerate(COLUMNS) if column.left]
    titles = [column.title for column in COLUMNS]
    table = text_table(titles, cells, left, width=width, spare=spare)
    table, rest = table[: len(cells) + 2], table[len(cells) + 2 :]
    table.insert(-1, table[1])
    if bold:
        sums = {2 + i for i, line in enumerate(lines[:-1]) if not line.group.unit}
        sums |= {0, len(table) - 1}
        table = [strong(text) if i in sums else text for i, text in enumerate(table)]
    notes = [line for note in signs(cells) for line in wrapped(note, width)]
    return "\n".join([*table, *notes, *rest])


def signs(lines: list[list[str]]) -> list[str]:
    """What the signs in these lines of the layer table mean."""
    seen = " ".join(cells[0] + cells[-2] for cells in lines)
    return [note for sign, note in SIGNS.items() if sign in seen]


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
    room = max(len(name) for name, _ in pairs) + 2
    title = strong(plan.name) if bold else plan.name
    sums = [line for name, text in pairs for line in wrapped(name.ljust(room) + text, width, room)]
    notes = wrapped(f"{CONVENTION} {UNITS}", width)
    return "\n".join([f"{title}  {show(plan.input)}", "", table, "", *sums, "", *notes])
