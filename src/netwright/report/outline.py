"""What a net is made of, as a tree of its parts with like ones in a row as one.

The tree is what diagrams are drawn from; it says nothing of how.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from netwright.core.graph import Graph, Node, Tap
from netwright.core.interpret import Shapes
from netwright.core.net import Net
from netwright.core.plan import Row
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec, Unit
from netwright.core.wiring import Branches, Sequential, streams
from netwright.report.layers import Group
from netwright.report.record import group_record

__all__ = ["Part", "cells", "outline", "outline_record"]


@dataclass(frozen=True)
class Part:
    """A part of a net, or `count` like ones in a row, side by side or one after another.

    `spec` is what stands in the net, `body` what it expands to: a unit or wiring. `inputs` go
    into the first, `outputs` come out of the last, several where streams travel together.
    `names` are those that the parts have in the wiring around them.
    `group` has the rows of all of them, `parts` are those of the first. `reads` are the parts
    of a graph that it takes its inputs from, where these are named. `aside` is a head that only
    training runs, beside the way of its inputs.
    """

    name: str
    spec: Spec
    body: Spec
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    group: Group
    parts: tuple[Part, ...] = ()
    count: int = 1
    reads: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    aside: bool = False


def outline(net: Net) -> Part:
    """The tree of a net's parts.

    >>> import netwright as nw
    >>> stage = outline(nw.net("resnet18")).parts[1]
    >>> stage.name, [(part.count, part.spec) for part in stage.parts]
    ('stage1', [(2, BasicBlock(64))])
    """
    walk = _Walk(net.plan().rows)
    walk(net.spec, "", (net.input,))
    return replace(walk.parts[0], name=net.name)


def cells(part: Part) -> list[Part]:
    """The outermost blocks that are graphs, such as cells that a search chose; the first of those
    that differ in nothing but numbers, such as their widths.

    >>> import netwright as nw
    >>> [cell.name for cell in cells(outline(nw.net("darts")))]
    ['cell1', 'cell5']
    """
    found = dict[Any, Part]()
    for cell in _graphs(part):
        settings = [pair for pair in cell.spec.arguments() if not isinstance(pair[1], int | float)]
        found.setdefault((type(cell.spec), *settings), cell)
    return [*found.values()]


def _graphs(part: Part) -> Iterator[Part]:
    if isinstance(part.spec, Block) and isinstance(part.body, Graph):
        yield part
        return
    for inner in part.parts:
        yield from _graphs(inner)


class _Walk(Shapes):
    """Follows a plan row by row and notes which part each row belongs to."""

    def __init__(self, rows: tuple[Row, ...]) -> None:
        self.rows, self.done = rows, 0
        self.above = ""
        self.parts: list[Part] = []
        self.taps = set[str]()

    def unit(self, unit: Unit, path: str, xs: tuple[Shape, ...]) -> Shape:
        self.done += 1
        return self.rows[self.done - 1].output

    def tap(self, tap: Tap, path: str, xs: tuple[Shape, ...]) -> Any:
        self.taps.add(path)
        return super().tap(tap, path, xs)

    def __call__(self, spec: Spec, path: str, xs: tuple[Shape, ...]) -> Any:
        body = spec
        while isinstance(body, Block):
            body = self.expand(body, path, xs)
        siblings, self.parts = self.parts, []
        above, self.above = self.above, path
        first = self.done
        y = super().__call__(body, path, xs)
        name = path.removeprefix(above).removeprefix(".") or "join"
        group = Group(path, self.rows[first : self.done])
        self.above = above
        if group.rows:
            parts = _parts(body, self.parts)
            part = Part(name, spec, body, xs, tuple(streams(y)), group, parts, names=(name,),
                        aside=path in self.taps)  # fmt: skip
            siblings.append(part)
        self.parts = siblings
        return y


def _parts(body: Spec, inner: list[Part]) -> tuple[Part, ...]:
    if isinstance(body, Sequential | Branches):
        return tuple(_runs(inner))
    if isinstance(body, Graph):
        nodes = dict(body.parts)
        reads = [node.inputs if isinstance(node := nodes[p.name], Node) else () for p in inner]
        return tuple([replace(p, reads=names) for p, names in zip(inner, reads, strict=True)])
    return tuple(inner)


def _runs(parts: Iterable[Part]) -> list[Part]:
    """Like parts in a row as one."""
    runs: list[list[Part]] = []
    for part in parts:
        if runs and _like(runs[-1][0].spec) == _like(part.spec):
            runs[-1].append(part)
        else:
            runs.append([part])
    return [_joined(run) if len(run) > 1 else run[0] for run in runs]


def _joined(run: list[Part]) -> Part:
    rows = tuple([row for part in run for row in part.group.rows])
    first, last = run[0], run[-1]
    return replace(
        first,
        name=f"{first.name}-{last.name}",
        outputs=last.outputs,
        group=Group(first.group.path, rows),
        count=len(run),
        names=tuple([part.name for part in run]),
    )


def _like(spec: Spec) -> Spec:
    """The spec without its rate of stochastic depth, which rises from block to block."""
    return replace(spec, drop=0.0) if isinstance(getattr(spec, "drop", None), float) else spec  # type: ignore[call-arg]


def outline_record(part: Part) -> dict[str, Any]:
    """The tree for JSON: of every part its name, count, costs and what is in it.

    Costs are of all `count`, `parts` are those of the first.
    """
    record = {"name": part.name, "count": part.count, **group_record(part.group)}
    record |= {"inputs": [*map(list, part.inputs)], "outputs": [*map(list, part.outputs)]}
    del record["output"]
    record["spec"] = repr(part.spec) if isinstance(part.spec, Unit | Block) else None
    if part.reads:
        record["reads"] = list(part.reads)
    return {**record, "parts": [outline_record(inner) for inner in part.parts]}
