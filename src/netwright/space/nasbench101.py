"""NAS-Bench-101's space: a cell of up to seven vertices, nine times in a net for CIFAR-10."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import ClassVar

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.edge_cell import cell_edges
from netwright.blocks.vertex_cell import VERTEX_OPERATIONS, VertexCell
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import SpecError
from netwright.nets.heads import pooled
from netwright.space.canonical import Dag, Edges, canonical, pruned
from netwright.space.reading import ReadSpace, part
from netwright.space.registry import named
from netwright.space.search_space import Digit, Digits
from netwright.units.pool import MaxPool

__all__ = ["LARGEST", "NasBench101", "cells"]

LARGEST = 9
"""Edges of a cell, at most."""


@named("nasbench101")
class NasBench101(ReadSpace):
    """The cells of NAS-Bench-101 (Ying et al. 2019, arXiv:1902.09635) in its net for CIFAR-10.

    The first digits of a code say which edges are there, in the order of `cell_edges`, the others
    what the vertices between input and output do. Vertices on no way from input to output are
    left out, so that a code stands for a cell of `vertices` or fewer, of at most nine edges:
    423,624 different ones of up to seven vertices. Nets are made of the canonical form, so that
    all codes of a cell give one, whose remaining channels go to its first vertices.

    The net is a 3x3 stem of `width` channels, three stages of `depth` cells, a max pool before
    the second and the third, which have twice the width each, a pooled head.

    >>> space = NasBench101(vertices=3)
    >>> space.size, len(list(space.codes()))
    (24, 7)
    """

    sound: ClassVar[bool] = True

    def __init__(self, vertices: int = 7, width: int = 128, depth: int = 3, classes: int = 10,
                 input: Shape = (3, 32, 32)) -> None:  # fmt: skip
        if type(vertices) is not int or not 2 <= vertices <= 12:
            raise SpecError(
                f"nasbench101: vertices is {vertices!r}, wanted an integer from 2 to 12"
            )
        self.vertices, self.edges = vertices, cell_edges(vertices * (vertices - 1) // 2)
        self.width, self.depth, self.classes, self.input = width, depth, classes, input
        places = [Digit(f"edge {a}-{b}", (False, True)) for a, b in self.edges]
        between = [Digit(f"vertex {i}", VERTEX_OPERATIONS) for i in range(1, vertices - 1)]
        super().__init__("nasbench101", [*places, *between])

    def _cell(self, choices: Digits) -> Dag | None:
        """What is left of the graph; None where no way leads through it."""
        operations = [VERTEX_OPERATIONS[choice] for choice in choices[len(self.edges) :]]
        sources: list[list[int]] = [[] for _ in range(self.vertices)]
        for (a, b), there in zip(self.edges, choices, strict=False):
            if there:
                sources[b].append(a)
        nodes = [tuple([(name, a) for a in sources[i]]) for i, name in enumerate(operations, 1)]
        return pruned(nodes, sources[-1])

    def legal(self, choices: Digits) -> bool:
        cell = self._cell(choices)
        return cell is not None and _count(cell) <= LARGEST and self.reduced(choices) == choices

    def arranged(self, choices: Digits) -> Digits:
        return self.reduced(choices)

    def net(self, code: str) -> Net:
        return super().net(self.canonical(code))

    def _written(self) -> Iterator[str]:
        """The codes in canonical order, from the smallest cells on."""
        for vertices in range(2, self.vertices + 1):
            yield from (self.write(self._chosen(cell)) for cell in cells(vertices))

    def build(self, choices: Digits) -> Net:
        cell = self._cell(choices)
        assert cell is not None  # legal() said so
        return Net(self._net(*canonical(*cell)), self.input, f"nasbench101-{self.write(choices)}")

    def _net(self, nodes: tuple[Edges, ...], output: tuple[int, ...]) -> Spec:
        """Figure 1 of the paper."""
        names = tuple([edges[0][0] for edges in nodes])
        edges = [(a, b) for b, reads in enumerate(nodes, 1) for _, a in reads]
        edges += [(a, len(nodes) + 1) for a in output]
        parts: dict[str, Spec] = {"stem": conv_norm_act(self.width)}
        for i in range(3):
            if i:
                parts[f"pool{i}"] = MaxPool(2)
            cell = VertexCell(names, tuple(edges), self.width * 2**i)
            parts[f"stage{i + 1}"] = Sequential(*[cell] * self.depth)
        return Sequential(**parts, head=pooled(self.classes))

    def parsed(self, net: Net) -> Digits:
        cell = part(net, VertexCell, "stage1", "0")
        last = len(cell.operations) + 1
        nodes = [tuple([(name, a) for a, b in cell.edges if b == i])
                 for i, name in enumerate(cell.operations, 1)]  # fmt: skip
        return self._chosen((tuple(nodes), tuple([a for a, b in cell.edges if b == last])))

    def _chosen(self, cell: Dag) -> Digits:
        """A cell as choices; vertices that it has not have no edge."""
        nodes, output = cell
        there = {(a, b) for b, reads in enumerate(nodes, 1) for _, a in reads}
        there |= {(a, self.vertices - 1) for a in output}
        names = [reads[0][0] for reads in nodes]
        names += [VERTEX_OPERATIONS[0]] * (self.vertices - 2 - len(names))
        operations = [VERTEX_OPERATIONS.index(name) for name in names]
        if len(operations) > self.vertices - 2:
            raise ValueError("more vertices than the space has")
        return (*[int(edge in there) for edge in self.edges], *operations)

    def reduced(self, choices: Digits) -> Digits:
        cell = self._cell(choices)
        return choices if cell is None else self._chosen(canonical(*cell))


def cells(vertices: int) -> Iterator[Dag]:
    """The different cells of exactly so many vertices, of at most `LARGEST` edges.

    >>> [len(list(cells(vertices))) for vertices in (2, 3, 4)]
    [1, 6, 84]
    """
    edges, seen = cell_edges(vertices * (vertices - 1) // 2), set[Dag]()
    for there in product((False, True), repeat=len(edges)):
        if sum(there) > LARGEST:
            continue
        sources = [[a for (a, b), own in zip(edges, there, strict=True) if own and b == vertex]
                   for vertex in range(vertices)]  # fmt: skip
        left = {a for reads in sources for a in reads}
        if len(left) < vertices - 1 or not all(sources[1:]):
            continue
        for names in product(VERTEX_OPERATIONS, repeat=vertices - 2):
            nodes = [tuple([(name, a) for a in sources[i]]) for i, name in enumerate(names, 1)]
            cell = canonical(nodes, sources[-1])
            if cell not in seen:
                seen.add(cell)
                yield cell


def _count(cell: Dag) -> int:
    nodes, output = cell
    return sum(map(len, nodes)) + len(output)
