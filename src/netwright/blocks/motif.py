"""Motifs in motifs: a cell's graph whose edges are graphs (Liu et al. 2018, arXiv:1711.00436)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netwright.blocks.conv import DepthwiseConv, conv_norm_act
from netwright.blocks.edge_cell import cell_edges, live_edges
from netwright.blocks.separable import SeparableConv
from netwright.core.graph import Graph, Node
from netwright.core.join import Cat
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.errors import SpecError, nearest
from netwright.units.activation import Identity, ReLU
from netwright.units.norm import BatchNorm
from netwright.units.pool import AvgPool, MaxPool

__all__ = ["PRIMITIVES", "Motif", "MotifCell", "leads"]

PRIMITIVES: dict[str, Callable[[int], Spec]] = {
    "conv_1x1": lambda width: conv_norm_act(width, 1),
    "depthwise_3x3": lambda width: Sequential(
        conv=DepthwiseConv(3, bias=False), norm=BatchNorm(), act=ReLU()
    ),
    "sep_conv_3x3": lambda width: SeparableConv(width, between=False, norm=BatchNorm(), act=ReLU()),
    "max_pool_3x3": lambda width: MaxPool(3, 1, 1),
    "avg_pool_3x3": lambda width: AvgPool(3, 1, 1, count_padding=False),
    "identity": lambda width: Identity(),
}
"""The six operations of the first level, convolutions with batch norm and ReLU, all at stride 1;
`none` stands for no edge."""


def _wired(parts: Sequence[Spec | None]) -> Graph | None:
    """A graph with these edges, whose nodes have what they read side by side; None where no way
    leads from its first node to its last.
    """
    places = cell_edges(len(parts))
    words = tuple(["none" if part is None else "edge" for part in parts])
    live = [(a, b) for a, b, _ in live_edges(words)]
    if not live:
        return None
    nodes: dict[str, Spec] = {}
    for node in sorted({b for _, b in live}):
        reads = list[str]()
        for a in [a for a, b in live if b == node]:
            part = parts[places.index((a, node))]
            assert part is not None
            reads.append(f"edge{a}_{node}")
            nodes[reads[-1]] = Node(part, f"node{a}" if a else "input")
        nodes[f"node{node}"] = Node(Cat() if len(reads) > 1 else Identity(), *reads)
    return Graph(**nodes)


class Motif(Block):
    """A small graph of primitives between two nodes, then a 1x1 convolution back to as many
    channels as it was given: (C, H, W) -> (C, H, W).

    edges: what stands on every edge, in the order of `cell_edges`: one of `PRIMITIVES`, or "none"
    width: channels of its convolutions

    >>> Motif(("conv_1x1", "none", "sep_conv_3x3"), 64).expand((64, 32, 32))["graph"].names
    ('edge0_1', 'node1', 'edge1_2', 'node2')
    """

    edges: tuple[str, ...]
    width: int

    def check(self) -> None:
        for name in self.edges:
            if name != "none" and name not in PRIMITIVES:
                raise SpecError(f"Motif: {nearest('primitive', name, ('none', *PRIMITIVES))}")
        if not live_edges(self.edges):
            raise SpecError(f"Motif: no way leads through the edges {self.edges!r}")

    def expand(self, x: Shape) -> Spec:
        parts = [None if name == "none" else PRIMITIVES[name](self.width) for name in self.edges]
        graph = _wired(parts)
        assert graph is not None
        return Sequential(graph=graph, reduce=conv_norm_act(x[0], 1))


class MotifCell(Block):
    """A graph whose edges are motifs, each copy with weights of its own: (C, H, W) ->
    (C', H, W), C' being as wide as what lies side by side at its last node.

    motifs: the edges of every motif, see `Motif`; those that lead nowhere stand for no edge
    edges: which motif stands on every edge, counted from 1, in the order of `cell_edges`; 0: none
    width: channels of the convolutions inside

    >>> MotifCell((("conv_1x1",), ("max_pool_3x3",)), (1, 2, 0), 16).expand((16, 8, 8)).names
    ('edge0_2', 'node2')
    """

    motifs: tuple[tuple[str, ...], ...]
    edges: tuple[int, ...]
    width: int

    def check(self) -> None:
        if not all(0 <= motif <= len(self.motifs) for motif in self.edges):
            raise SpecError(f"MotifCell: edges is {self.edges!r}, wanted motifs 1 to "
                            f"{len(self.motifs)}, or 0 for none")  # fmt: skip
        if _wired(self._parts()) is None:
            raise SpecError("MotifCell: no way leads from the first node to the last")

    def _parts(self) -> list[Spec | None]:
        def part(motif: int) -> Spec | None:
            names = self.motifs[motif - 1] if motif else ()
            return Motif(names, self.width) if leads(names) else None

        return [part(motif) for motif in self.edges]

    def expand(self, x: Shape) -> Spec:
        graph = _wired(self._parts())
        assert graph is not None
        return graph


def leads(names: Sequence[str]) -> bool:
    """Whether a motif of these edges leads anywhere."""
    return bool(names) and bool(live_edges(tuple(names)))
