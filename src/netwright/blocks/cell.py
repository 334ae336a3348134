"""Cells: small graphs that a search found, many of which make a net."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.edge import Edge, FactorisedReduction
from netwright.blocks.genotype import CellGenotype
from netwright.core.graph import Graph, Node
from netwright.core.join import Cat
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Sum
from netwright.errors import ShapeError
from netwright.units.activation import ReLU
from netwright.units.norm import BatchNorm

__all__ = ["Cell"]


class Cell(Block):
    """A cell of `genotype`: of the cell before the last (C0, H0, W0) and the last (C1, H, W)
    -> (width n, H / stride, W / stride), n states side by side.

    ReLU, a 1x1 convolution and normalisation bring both maps to `width` channels, a
    `FactorisedReduction` the older one where it is larger; then every node sums its edges.
    Edges from the two maps have the stride. A cell that is given one map only, at the stem of
    a NASNet, reads it as it is for the older one too (Zoph et al. 2017, arXiv:1707.07012; Liu
    et al. 2018, arXiv:1806.09055).

    genotype: the cell's edges, a `CellGenotype`
    width: channels of every state
    stride: that of the edges from the two maps
    norm: the normalisation of the `Edge`s, as the next two
    tight: whether they pad no more than they need
    drop: how often training leaves an operation out

    >>> two = CellGenotype(((("sep_conv_3x3", 0), ("identity", 1)), (("max_pool_3x3", 1),)))
    >>> Cell(two, 16).expand((48, 32, 32), (48, 32, 32)).names
    ('before', 'last', 'node2', 'node3', 'out')
    """

    genotype: CellGenotype
    width: int
    stride: int = 1
    norm: Spec = BatchNorm()
    tight: bool = False
    drop: float = 0.0
    joins = True

    def check(self) -> None:
        self._edge("identity", 1)

    def expand(self, *xs: Shape) -> Spec:
        if len(xs) not in (1, 2):
            raise ShapeError(f"Cell takes one or two maps, got {len(xs)}")
        inputs = ("input", "last") if len(xs) == 1 else ("before", "last")
        parts: dict[str, Spec] = {}
        if len(xs) == 2:
            parts["before"] = Node(self._fitted(xs[0], xs[1]), "input0")
        parts["last"] = Node(self._fitted(xs[-1], xs[-1]), f"input{len(xs) - 1}")
        states = [*inputs, *[f"node{i}" for i in range(2, 2 + len(self.genotype.nodes))]]
        for name, node in zip(states[2:], self.genotype.nodes, strict=True):
            edges = [self._edge(operation, source) for operation, source in node]
            joined = Sum(*edges) if len(edges) > 1 else edges[0]
            parts[name] = Node(joined, *[states[source] for _, source in node])
        out = [self._sized(parts, states, source) for source in self.genotype.output]
        return Graph(**parts, out=Node(Cat(), *out))

    def _fitted(self, x: Shape, like: Shape) -> Spec:
        """An input brought to the width of the cell and the size of the other input."""
        if x[1:] != like[1:]:
            return FactorisedReduction(self.width, self.norm)
        return Sequential(act=ReLU(), conv=ConvNormAct(self.width, 1, norm=self.norm, act=None))

    def _edge(self, operation: str, source: int) -> Edge:
        stride = self.stride if source < 2 else 1
        return Edge(operation, self.width, stride, self.norm, self.tight, self.drop)

    def _sized(self, parts: dict[str, Spec], states: list[str], source: int) -> str:
        """The state to concatenate; an input is brought to the size of the output."""
        name = states[source]
        if source > 1 or self.stride == 1:
            return name
        parts[f"{name}_out"] = Node(FactorisedReduction(self.width, self.norm), name)
        return f"{name}_out"
