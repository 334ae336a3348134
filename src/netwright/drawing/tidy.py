"""Fewer boxes for a diagram: parts that are merged or gathered before they are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from netwright.core.spec import Block, Unit
from netwright.core.wiring import Sequential
from netwright.drawing.labels import plain
from netwright.report.layers import Group
from netwright.report.outline import Part

__all__ = ["gathered", "only", "trimmed"]


def trimmed(parts: tuple[Part, ...]) -> Iterator[Part]:
    """The parts, in which a unit that changes values one by one, such as an activation, is
    merged with the layer before it: one box stands for both.
    """
    before: Part | None = None
    for part in parts:
        if before and plain(before) and _trims(part):
            inside = before.parts if isinstance(before.body, Sequential) else (before,)
            rows = before.group.rows + part.group.rows
            body = Sequential(*[p.spec for p in (*inside, part)])
            before = replace(before, spec=body, body=body, parts=(*inside, part), count=1,
                             group=Group(before.group.path, rows))  # fmt: skip
            continue
        if before:
            yield before
        before = part
    if before:
        yield before


def _trims(part: Part) -> bool:
    """Whether a part is a unit that changes values one by one: no products, no window, one
    input of the output's shape.
    """
    group = part.group
    if not isinstance(part.body, Unit) or part.reads or group.macs != 0:
        return False
    return group.inputs == (group.output,) and not part.body.sliding(group.output)


def gathered(parts: Iterable[Part]) -> list[Part]:
    """The parts; where several blocks of one kind follow each other, the first stands alone and
    the others together as one part.
    """
    fewer = list[Part]()
    for kind, run in groupby(parts, lambda part: type(part.spec)):
        first, *others = run
        fewer.append(first)
        if len(others) > 1 and issubclass(kind, Block):
            fewer.append(_chain(others))
        else:
            fewer += others
    return fewer


def _chain(parts: list[Part]) -> Part:
    """Parts in a row as one part, named by the first and the last of them."""
    first, last = parts[0], parts[-1]
    rows = tuple([row for part in parts for row in part.group.rows])
    body = Sequential(*[part.spec for part in parts])
    return Part(
        f"{first.names[0]}-{last.names[-1]}",
        body,
        body,
        first.inputs,
        last.outputs,
        Group(first.group.path, rows),
        tuple(parts),
        names=tuple([name for part in parts for name in part.names]),
    )


def only(part: Part) -> Part:
    """The part; of a chain that holds a single part that one, under the name of the chain."""
    while part.count == 1 and type(part.body) is Sequential and len(part.parts) == 1:
        inner = part.parts[0]
        if isinstance(part.spec, Block) and not isinstance(inner.spec, Block):
            break
        part = replace(inner, name=part.name, reads=part.reads)
    return part
