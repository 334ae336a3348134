"""The cell of NAS-Bench-101: operations on vertices (Ying et al. 2019, arXiv:1902.09635)."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm_act
from netwright.core.check import is_count
from netwright.core.graph import Graph, Node
from netwright.core.join import Add, Cat
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.errors import SpecError, nearest
from netwright.units.activation import Identity
from netwright.units.channels import Channels
from netwright.units.pool import MaxPool

__all__ = ["VERTEX_OPERATIONS", "VertexCell"]

VERTEX_OPERATIONS = ("conv_1x1", "conv_3x3", "max_pool_3x3")
"""What a vertex can do; convolutions are followed by batch norm and ReLU."""


class VertexCell(Block):
    """Vertices that sum what they read and transform it; the output has those that lead to it
    side by side, and the cell's input is added: (C, H, W) -> (width, H, W).

    What is read of the input goes through a 1x1 convolution. The `width` channels are dealt out
    to the vertices that lead to the output; any other has as many as the widest that reads it,
    which loses those it has no room for (section 2.2 of the paper and its code).

    operations: of the vertices between input and output, of `VERTEX_OPERATIONS`
    edges: (from, to), the input being vertex 0 and the output the last; every vertex lies on a
        way from the one to the other
    width: channels of the output

    >>> cell = VertexCell(("conv_1x1", "conv_3x3"), ((0, 1), (0, 2), (1, 2), (2, 3), (0, 3)), 128)
    >>> cell.widths()
    (128, 128)
    """

    operations: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    width: int

    def check(self) -> None:
        for name in self.operations:
            if name not in VERTEX_OPERATIONS:
                raise SpecError(f"VertexCell: {nearest('operation', name, VERTEX_OPERATIONS)}")
        last = len(self.operations) + 1
        if not self.edges or len({*self.edges}) != len(self.edges):
            raise SpecError(f"VertexCell: edges is {self.edges!r}, wanted different pairs")
        for a, b in self.edges:
            if not 0 <= a < b <= last:
                raise SpecError(f"VertexCell: edge {(a, b)} leads nowhere; wanted (from, to) with "
                                f"from below to and to at most {last}")  # fmt: skip
        left, reached = {a for a, _ in self.edges}, {b for _, b in self.edges}
        if lost := {*range(last)} - left or {*range(1, last + 1)} - reached:
            raise SpecError(f"VertexCell: vertex {min(lost)} lies on no way from input to output; "
                            "leave it out")  # fmt: skip
        is_count(self, "width", least=max(1, len(self._last())))

    def _last(self) -> list[int]:
        """The vertices, without the input, that lead to the output."""
        return [a for a, b in self.edges if b == len(self.operations) + 1 and a]

    def widths(self) -> tuple[int, ...]:
        """Channels of the vertices between input and output."""
        last = sorted(self._last())
        widths = dict[int, int]()
        for i, vertex in enumerate(last):
            widths[vertex] = self.width // len(last) + (i < self.width % len(last))
        for vertex in range(len(self.operations), 0, -1):
            if vertex not in widths:
                widths[vertex] = max(widths[b] for a, b in self.edges if a == vertex)
        return tuple([widths[vertex] for vertex in range(1, len(self.operations) + 1)])

    def expand(self, x: Shape) -> Spec:
        widths, last = (x[0], *self.widths(), self.width), len(self.operations) + 1
        parts: dict[str, Spec] = {}
        for vertex, operation in enumerate(self.operations, 1):
            part = MaxPool(3, 1, 1) if operation == "max_pool_3x3" else conv_norm_act(
                widths[vertex], 1 if operation == "conv_1x1" else 3)  # fmt: skip
            reads = [self._read(parts, a, vertex, widths) for a in self._sources(vertex)]
            if len(reads) > 1:
                part = Sequential(sum=Add(), operation=part)
            parts[f"vertex{vertex}"] = Node(part, *reads)
        ends = [f"vertex{a}" for a in self._sources(last) if a]
        if ends:
            parts["out"] = Node(Cat() if len(ends) > 1 else Identity(), *ends)
        if 0 in self._sources(last):
            skip = self._read(parts, 0, last, widths)
            if ends:
                parts["sum"] = Node(Add(), "out", skip)
        return Graph(**parts)

    def _sources(self, vertex: int) -> list[int]:
        return sorted([a for a, b in self.edges if b == vertex])

    def _read(self, parts: dict[str, Spec], a: int, b: int, widths: tuple[int, ...]) -> str:
        """The name of what vertex `b` reads of `a`, its channels those of `b`."""
        if a == 0:
            name = f"project{b}"
            parts[name] = Node(conv_norm_act(widths[b], 1), "input")
        elif widths[a] == widths[b]:
            name = f"vertex{a}"
        else:
            name = f"vertex{a}_for{b}"
            parts[name] = Node(Channels(0, widths[b]), f"vertex{a}")
        return name
