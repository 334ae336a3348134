"""Recurrent layers in dense connection."""

from __future__ import annotations

from netwright.core.check import is_count
from netwright.core.graph import Graph, Node
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.units.recurrent import LSTM, CatFeatures

__all__ = ["DenseBiLstm"]


class DenseBiLstm(Block):
    """`depth` bidirectional LSTMs, each of which reads the input and all outputs before it:
    (T, F) -> (T, F + 2 depth growth) (DC-Bi-LSTM, Ding et al. 2018, arXiv:1802.00889).

    `growth` is the state of one direction. The paper's top layer is one more bidirectional
    LSTM that reads what this gives.

    >>> DenseBiLstm(2, 13).expand((20, 300)).names
    ('lstm0', 'cat0', 'lstm1', 'cat1')
    """

    depth: int
    growth: int

    def check(self) -> None:
        is_count(self, "growth")

    def expand(self, x: Shape) -> Spec:
        nodes: dict[str, Spec] = {}
        last = "input"
        for i in range(self.depth):
            nodes[f"lstm{i}"] = LSTM(self.growth, bidirectional=True)
            nodes[f"cat{i}"] = Node(CatFeatures(), last, f"lstm{i}")
            last = f"cat{i}"
        return Graph(**nodes)
