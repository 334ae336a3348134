"""Cells with an operation on every edge of a small graph."""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import combinations

from netwright.blocks.edge import Edge
from netwright.core.graph import Graph, Node
from netwright.core.join import Add
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.errors import SpecError
from netwright.units.activation import Identity, Scale

__all__ = ["EdgeCell", "cell_edges", "live_edges"]


class EdgeCell(Block):
    """A cell whose node j sums an operation on each of the nodes before it; the last node is its
    output: (C, H, W) -> (C, H, W) (Dong & Yang 2020, arXiv:2001.00326, figure 1).

    `none` stands for no edge. Edges that nothing reaches, or that do not reach the output, are
    left out, so they cost nothing; a cell that no path leads through gives zeros.

    operations: one an edge, `none` or one of `Edge`'s; edges go by where they end, then by where
        they begin: 0-1, 0-2, 1-2, 0-3, 1-3, 2-3

    >>> EdgeCell(("conv_3x3", "none", "conv_1x1", "skip_connect", "none", "none")).expand((8, 4, 4))
    Identity()
    """

    operations: tuple[str, ...]

    def check(self) -> None:
        cell_edges(len(self.operations))
        for operation in self.operations:
            if operation != "none":
                _node(operation, 1, "input")

    def expand(self, x: Shape) -> Spec:
        edges = live_edges(self.operations)
        if not edges:
            return Scale(0.0)
        parts = dict[str, Spec]()
        values = {0: "input"}
        for node in sorted({j for _, j, _ in edges}):
            names = list[str]()
            for i, j, operation in edges:
                if j == node:
                    names.append(f"edge{i}_{node}")
                    parts[names[-1]] = _node(operation, x[0], values[i])
            values[node] = names[0]
            if len(names) > 1:
                values[node] = f"node{node}"
                parts[values[node]] = Node(_SUM, *names)
        if len(edges) == 1 and edges[0][2] == "skip_connect":
            return Identity()
        return Graph(**parts)


_SUM = Add()


@lru_cache(maxsize=1024)
def _node(operation: str, width: int, source: str) -> Node:
    """An edge as a node of the graph; kept, because a search makes many cells of a few edges."""
    return Node(Edge(operation, width), source)


@cache
def cell_edges(count: int) -> tuple[tuple[int, int], ...]:
    """The edges (from, to) of a cell that has so many, by where they end; `SpecError` where no
    whole number of nodes has.

    >>> cell_edges(3)
    ((0, 1), (0, 2), (1, 2))
    """
    nodes = 2
    while nodes * (nodes - 1) // 2 < count:
        nodes += 1
    if nodes * (nodes - 1) // 2 != count:
        raise SpecError(f"EdgeCell: {count} operations are no cell; 2, 3, 4 or 5 nodes have 1, 3, "
                        "6 or 10 edges")  # fmt: skip
    return tuple(sorted(combinations(range(nodes), 2), key=lambda edge: (edge[1], edge[0])))


def live_edges(operations: tuple[str, ...]) -> list[tuple[int, int, str]]:
    """The edges (from, to, operation) that lie on a path from the first node to the last.

    >>> live_edges(("conv_3x3", "skip_connect", "none"))
    [(0, 2, 'skip_connect')]
    """
    pairs = cell_edges(len(operations))
    edges = [(i, j, what) for (i, j), what in zip(pairs, operations, strict=True) if what != "none"]
    reached, needed = {0}, {pairs[-1][1]}
    for i, j, _ in edges:  # by where they end, so all that end at i come before
        if i in reached:
            reached.add(j)
    for i, j, _ in sorted(edges, key=lambda edge: -edge[1]):
        if j in needed:
            needed.add(i)
    return [(i, j, what) for i, j, what in edges if i in reached and j in needed]
