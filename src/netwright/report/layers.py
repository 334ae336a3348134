"""A plan's rows as people read them: a tree of stages, blocks and units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from netwright.core.field import Field
from netwright.core.plan import Row
from netwright.core.shape import Shape, show
from netwright.core.spec import Unit

__all__ = [
    "Group",
    "Line",
    "field_text",
    "groups",
    "jump_text",
    "merged",
    "tree",
]


@dataclass(frozen=True)
class Group:
    """Rows that belong together, under the path they share.

    Rows that only training runs add parameters, and work only where there is nothing else.
    """

    path: str
    rows: tuple[Row, ...]

    @cached_property
    def auxiliary(self) -> bool:
        """Whether only training runs it."""
        return all(row.auxiliary for row in self.rows)

    @cached_property
    def running(self) -> tuple[Row, ...]:
        """The rows that count when the net runs."""
        return self.rows if self.auxiliary else tuple(r for r in self.rows if not r.auxiliary)

    @cached_property
    def params(self) -> Any:
        """Learnt numbers."""
        return sum(row.params for row in self.rows)

    @cached_property
    def macs(self) -> Any:
        """Multiply-adds."""
        return sum(row.macs for row in self.running)

    @cached_property
    def ops(self) -> Any:
        """Other operations."""
        return sum(row.ops for row in self.running)

    @cached_property
    def elements(self) -> Any:
        """Elements of the outputs of all its units."""
        return sum(row.elements for row in self.running)

    @cached_property
    def inputs(self) -> tuple[Shape, ...]:
        """What goes in."""
        return self.rows[0].inputs

    @cached_property
    def output(self) -> Shape:
        """What comes out."""
        return self.running[-1].output

    @cached_property
    def field(self) -> Field:
        """The receptive field of what comes out."""
        return self.running[-1].field

    @cached_property
    def unit(self) -> Unit | None:
        """The unit, where there is only one."""
        return self.rows[0].unit if len(self.rows) == 1 else None


class Line(NamedTuple):
    """A line of the tree: how deep, under what name, and the rows it stands for."""

    indent: int
    name: str
    group: Group


def groups(rows: Sequence[Row], depth: int = 1) -> list[Group]:
    """Rows by the first `depth` words of their paths: 1 gives stages, 2 blocks."""
    members: dict[str, list[Row]] = {}
    for row in rows:
        members.setdefault(".".join(row.path.split(".")[:depth]), []).append(row)
    return [Group(path, tuple(inside)) for path, inside in members.items()]


def tree(rows: Sequence[Row], depth: int | None = None) -> Iterator[Line]:
    """Stages, the blocks in them, the units in those; down to `depth`, or to every unit."""
    return _below(rows, depth, 1, "")


def _below(rows: Sequence[Row], depth: int | None, level: int, above: str) -> Iterator[Line]:
    if depth is None and level > 2:
        for row in rows:
            yield _leaf(row, level, above)
        return
    for group in groups(rows, level):
        if group.unit:
            yield _leaf(group.rows[0], level, above)
            continue
        yield Line(level - 1, _name(group.path, above), group)
        if level != depth:
            yield from _below(group.rows, depth, level + 1, group.path)


def _leaf(row: Row, level: int, above: str) -> Line:
    alone = "join" if row.unit.joins else "net"
    return Line(level - 1, _name(row.path, above) or alone, Group(row.path, (row,)))


def _name(path: str, above: str) -> str:
    return path[len(above) :].removeprefix(".")


def field_text(field: Field) -> str:
    """The size of a receptive field, marked where it is not exact.

    `~35` is the box around one with holes, `all` the whole input, `35+all` 35 locally and
    the rest by way of a global operation, `?` what nobody can say.
    """
    if field.size is None:
        return "all" if field.whole else "?"
    smooth = field._replace(whole=False).status == "exact"
    return ("" if smooth else "~") + _uniform(field.size) + ("+all" if field.whole else "")


def jump_text(field: Field) -> str:
    """Input positions between neighbouring units, one number where the axes agree."""
    return "" if field.jump is None else _uniform(field.jump)


def _uniform(sizes: Sequence[Any]) -> str:
    return str(sizes[0]) if len(set(sizes)) == 1 else show(sizes)


def merged(orders: Sequence[Sequence[str]]) -> list[str]:
    """All names of several lists, each as near as can be to where its own list has it.

    >>> merged([["stem", "stage1", "head"], ["stem", "stage1", "stage2", "head"]])
    ['stem', 'stage1', 'stage2', 'head']
    """
    names = list[str]()
    for order in orders:
        place = 0
        for name in order:
            if name not in names:
                names.insert(place, name)
            place = names.index(name) + 1
    return names
