"""Randomly wired stages (Xie et al. 2019, arXiv:1904.01569)."""

from __future__ import annotations

from netwright.blocks.random_graph import RandomGraph
from netwright.blocks.separable import SeparableConv
from netwright.core.check import is_count
from netwright.core.graph import Graph, Node
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.units.activation import ReLU
from netwright.units.mean_join import Mean, WeightedSum
from netwright.units.norm import BatchNorm

__all__ = ["RandomNode", "RandomStage"]


class RandomNode(Block):
    """A node of a randomly wired stage: the weighted sum of its inputs, ReLU, a separable 3x3
    convolution, batch norm: n times (C, H, W) -> (width, ceil(H / stride), ceil(W / stride)).

    >>> RandomNode(78).expand((78, 28, 28), (78, 28, 28)).names
    ('sum', 'act', 'conv')
    """

    width: int
    stride: int = 1
    joins = True

    def expand(self, *xs: Shape) -> Spec:
        conv = SeparableConv(self.width, 3, self.stride, between=False, norm=BatchNorm(), act=None)
        return Sequential(sum=WeightedSum(), act=ReLU(), conv=conv)


class RandomStage(Block):
    """`nodes` nodes wired as a random graph: (C, H, W) -> (width, H / stride, W / stride).

    `graph` draws the edges from `seed`, the first connected graph; they lead from lower to
    higher nodes. Nodes that no edge leads to read the input, with the stride; the mean of
    those that no edge leaves is the output (section 3 of the paper).

    >>> from netwright import WattsStrogatz
    >>> RandomStage(WattsStrogatz(4, 0.75), 78).expand((39, 56, 56)).names[-2:]
    ('node31', 'out')
    """

    graph: RandomGraph
    width: int
    nodes: int = 32
    stride: int = 2
    seed: int = 0

    def check(self) -> None:
        is_count(self, "nodes")

    def expand(self, x: Shape) -> Spec:
        edges = self.graph.connected(self.nodes, self.seed)
        parts: dict[str, Spec] = {}
        for node in range(self.nodes):
            sources = [f"node{a}" for a, b in edges if b == node]
            part = RandomNode(self.width, 1 if sources else self.stride)
            parts[f"node{node}"] = Node(part, *(sources or ["input"]))
        left = {a for a, _ in edges}
        last = [f"node{node}" for node in range(self.nodes) if node not in left]
        return Graph(**parts, out=Node(Mean(), *last))
