"""Spaces of cells: two small graphs, of which a net of a known frame is made."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from typing import Any, ClassVar

from netwright.blocks.cell import Cell
from netwright.blocks.genotype import CellGenotype, Genotype
from netwright.core.graph import Graph
from netwright.core.net import Net
from netwright.core.plan import Row
from netwright.core.shape import Shape
from netwright.errors import SpecError
from netwright.nets.registry import entry
from netwright.space.canonical import Edges, canonical
from netwright.space.search_space import Digit, Digits, Space
from netwright.space.totals import Totals

__all__ = ["INPUTS", "KINDS", "CellSpace", "cells_of"]

INPUTS = 2
KINDS = ("normal", "reduction")
FREE = frozenset(["skip_connect", "identity", "avg_pool_3x3", "max_pool_3x3", "max_pool_5x5",
                  "max_pool_7x7"])  # fmt: skip
"""Operations without weights, where neither width nor size change."""


class CellSpace(Space):
    """Nets of a registered net's frame with other cells: every node sums two operations.

    name: of the space
    operations: what an edge can do
    nodes: of a cell, beside its two inputs
    frame: a registered net that takes a `genotype`; its other options may be given too
    apart: whether the two edges of a node come from different states (DARTS), in no order
    unread: whether a cell puts out the nodes that no other reads (NASNet), else all of them
    alike: whether normal and reduction cells are the same (PNAS)
    input: what the nets are given, where not what the frame is
    """

    sound: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        operations: Sequence[str],
        nodes: int,
        frame: str,
        *,
        apart: bool = False,
        unread: bool = True,
        alike: bool = False,
        input: Shape | None = None,
        **options: Any,
    ) -> None:
        self.operations, self.nodes = tuple(operations), nodes
        self.apart, self.unread, self.alike = apart, unread, alike
        self.frame, self.input, self.options = entry(frame), input, options
        kinds = KINDS[:1] if alike else KINDS
        digits = [digit for kind in kinds for digit in self._digits("cell" if alike else kind)]
        super().__init__(name, digits)

    def _digits(self, kind: str) -> list[Digit]:
        """The choices of one cell, node by node: sources and operations."""
        digits = list[Digit]()
        for state in range(INPUTS, INPUTS + self.nodes):
            node, states = f"{kind} node {state}", tuple(range(state))
            if self.apart:
                digits.append(Digit(f"{node} sources", tuple(combinations(states, 2))))
            else:
                digits += [Digit(f"{node} source {i}", states) for i in (1, 2)]
            digits += [Digit(f"{node} operation {i}", self.operations) for i in (1, 2)]
        return digits

    def _cells(self, choices: Digits) -> list[list[Edges]]:
        """The edges of every node of the one or two cells."""
        a_node = 3 if self.apart else 4
        digits, cells = iter(choices), list[list[Edges]]()
        for _ in range(len(choices) // (a_node * self.nodes)):
            nodes = list[Edges]()
            for state in range(INPUTS, INPUTS + self.nodes):
                if self.apart:
                    one, two = self._pairs[state][next(digits)]
                else:
                    one, two = next(digits), next(digits)
                first, second = self.operations[next(digits)], self.operations[next(digits)]
                nodes.append(((first, one), (second, two)))
            cells.append(nodes)
        return cells

    def _chosen(self, cells: Sequence[Sequence[Edges]]) -> Digits:
        """The inverse of `_cells`, for edges in any order where they have none."""
        choices = list[int]()
        for nodes in cells:
            for state, edges in enumerate(nodes, INPUTS):
                in_order = sorted(edges, key=lambda edge: edge[1]) if self.apart else edges
                (first, one), (second, two) = in_order
                choices += [self._pairs[state].index((one, two))] if self.apart else [one, two]
                choices += [self.operations.index(first), self.operations.index(second)]
        return tuple(choices)

    @cached_property
    def _pairs(self) -> dict[int, list[tuple[int, int]]]:
        """Node -> the two different states that it may read."""
        states = range(INPUTS, INPUTS + self.nodes)
        return {state: list(combinations(range(state), 2)) for state in states}

    def output(self, nodes: Sequence[Edges]) -> tuple[int, ...]:
        """The states that a cell of these nodes puts out."""
        read = {source for edges in nodes for _, source in edges} if self.unread else set[int]()
        return tuple([s for s in range(INPUTS, INPUTS + self.nodes) if s not in read])

    def genotype(self, code: str) -> Genotype:
        """The cells of a code."""
        return self._genotype(self.choices(code))

    def _genotype(self, choices: Digits) -> Genotype:
        cells = [CellGenotype(tuple(nodes), self.output(nodes)) for nodes in self._cells(choices)]
        return Genotype(cells[0], cells[-1])

    def written(self, genotype: Genotype) -> str:
        """The code of cells; `ValueError` where they are none of this space."""
        cells = [genotype.normal, genotype.reduction][: 1 if self.alike else 2]
        return self.write(self._chosen([cell.nodes for cell in cells]))

    def build(self, choices: Digits) -> Net:
        return self.framed(self._genotype(choices)).but(name=f"{self.name}-{self.write(choices)}")

    def framed(self, genotype: Genotype, **options: Any) -> Net:
        """The net of the frame with these cells, whatever they hold."""
        return self.frame(self.input, genotype=genotype, **{**self.options, **options})

    def read(self, net: Net) -> Digits:
        cells = {KINDS[cell.stride - 1]: cell for cell in reversed(cells_of(net).values())}
        if len(cells) < len(KINDS):
            raise SpecError(f"{net.name} has no {' and '.join({*KINDS} - {*cells})} cell, as nets "
                            f"of {self.name} have")  # fmt: skip
        normal, reduction = (cells[kind].genotype for kind in KINDS)
        both = (normal,) if self.alike else (normal, reduction)
        whole = all(len(g.nodes) == self.nodes and g.output == self.output(g.nodes) for g in both)
        try:
            choices = self._chosen([genotype.nodes for genotype in both])
        except ValueError:
            whole, choices = False, ()
        again = self.framed(Genotype(normal, both[-1]))
        if not whole or again.but(input=net.input, name=net.name) != net:
            raise SpecError(f"{net.name} is no net of {self.name}, or has another frame")
        return choices

    def reduced(self, choices: Digits) -> Digits:
        cells = list[Sequence[Edges]]()
        for kind, nodes in enumerate(self._cells(choices)):
            same = nodes
            if not self.unread:
                same = _merged(nodes, reduces=kind == 1 or self.alike, apart=self.apart)
            cells.append(canonical(same, self.output(same), INPUTS)[0])
        return self._chosen(cells)

    def totals(self, code: str) -> Totals:
        """Sums of what operations and frame cost, each of which was planned once."""
        cells = self._cells(self.choices(code))
        pair = (cells[0], cells[-1])
        params, macs, ops = self._rest(len(self.output(pair[0])), len(self.output(pair[1])))
        for kind, nodes in enumerate(pair):
            for edges in nodes:
                for name, source in edges:
                    price = self._prices[kind, name, min(source, INPUTS)]
                    params += price[0]
                    macs += price[1]
                    ops += price[2]
        return Totals(params, macs, ops)

    @cached_property
    def _prices(self) -> dict[tuple[int, str, int], Totals]:
        """(kind, operation, source) -> what such an edge costs in all cells of the kind; source 2
        stands for any node.
        """
        prices = dict[tuple[int, str, int], Totals]()
        for name in self.operations:
            for source in range(INPUTS + 1):
                first = ((name, min(source, 1)),)
                nodes = (first, ((name, 2),)) if source == INPUTS else (first,)
                net = self.framed(Genotype(*[CellGenotype(nodes, (len(nodes) + 1,))] * 2))
                rows = net.plan().rows
                for kind, cells in enumerate(_by_kind(net)):
                    ends = tuple([f"{cell}.node{len(nodes) + 1}" for cell in cells])
                    own = [row for row in rows if _is_below(row.path, ends)]
                    prices[kind, name, source] = _summed(own)
        return prices

    def _rest(self, normal: int, reduction: int) -> Totals:
        """What a net costs beside its edges, its cells putting out so many states."""
        if (normal, reduction) not in self._rests:
            read = [(("max_pool_3x3", max(state - 1, 1)), ("max_pool_3x3", 0))
                    for state in range(INPUTS, INPUTS + self.nodes)]  # fmt: skip
            states = range(INPUTS, INPUTS + self.nodes)
            cells = [CellGenotype(tuple(read), tuple(states[-n:])) for n in (normal, reduction)]
            net = self.framed(Genotype(*cells))
            nodes = tuple([f"{cell}.node{state}" for cells in _by_kind(net) for cell in cells
                           for state in states])  # fmt: skip
            rows = [
                row for row in net.plan() if row.path in nodes or not _is_below(row.path, nodes)
            ]
            self._rests[normal, reduction] = _summed(rows)
        return self._rests[normal, reduction]

    @cached_property
    def _rests(self) -> dict[tuple[int, int], Totals]:
        return {}


def _merged(nodes: Sequence[Edges], *, reduces: bool, apart: bool) -> list[Edges]:
    """The nodes with one of those that are equal read for all of them: nodes without weights that
    do the same to the same. Where edges have to be `apart` a node that reads one of them twice
    reads the first two.
    """
    twins: dict[int, list[int]] = {state: [state] for state in range(INPUTS)}
    first: dict[Edges, int] = {}
    merged = list[Edges]()
    for state, node in enumerate(nodes, INPUTS):
        edges = tuple(sorted([(name, twins[source][0]) for name, source in node]))
        twins[state] = [state]
        if not any(_weighs(name, reduces and source < INPUTS) for name, source in edges):
            same = first.setdefault(edges, state)
            if same != state:
                twins[same].append(state)
                twins[state] = twins[same]
        (one, a), (two, b) = edges
        merged.append(((one, a), (two, twins[a][1])) if apart and a == b else edges)
    return merged


def _weighs(name: str, reduces: bool) -> bool:
    """Whether an operation has weights where it keeps the width and `reduces` the map, or not."""
    return name not in FREE or (reduces and name in ("skip_connect", "identity"))


def cells_of(net: Net) -> dict[str, Cell]:
    """The cells of a net by their names, in order."""
    spec = net.spec
    parts = [(name, spec.part(name)) for name in spec.names] if isinstance(spec, Graph) else []
    return {name: part for name, part in parts if isinstance(part, Cell)}


def _by_kind(net: Net) -> tuple[list[str], list[str]]:
    cells = cells_of(net).items()
    return ([name for name, cell in cells if cell.stride == 1],
            [name for name, cell in cells if cell.stride != 1])  # fmt: skip


def _is_below(path: str, nodes: tuple[str, ...]) -> bool:
    return ".".join(path.split(".")[:2]) in nodes


def _summed(rows: Sequence[Row]) -> Totals:
    heard = [row for row in rows if not row.auxiliary]
    return Totals(sum([row.params for row in rows]), sum([row.macs for row in heard]),
                  sum([row.ops for row in heard]))  # fmt: skip
