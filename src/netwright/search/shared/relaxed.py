"""A supernet as DARTS relaxes it: edges are mixtures, and the strongest of them are a cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from netwright.blocks.genotype import CellGenotype, Genotype
from netwright.search.shared.supernet import Supernet
from netwright.space.cells import INPUTS, KINDS

__all__ = ["Relaxed", "skips_of"]

SKIPS = ("skip_connect", "identity")


class Relaxed:
    """A supernet whose edges are softmaxes of `alphas`, (edges, operations + 1) a kind of cell; the
    last column stands for no operation.

    supernet: with `mixed` edges
    seed: of the first alphas, a thousandth of normal numbers
    """

    def __init__(self, supernet: Supernet, seed: int = 0) -> None:
        self.supernet, self.space = supernet, supernet.space
        random = torch.Generator().manual_seed(seed)
        edges = sum(range(INPUTS, INPUTS + self.space.nodes))
        width = len(self.space.operations) + 1
        where = next(supernet.model.parameters()).device
        self.alphas = [
            (1e-3 * torch.randn(edges, width, generator=random)).to(where).requires_grad_()
            for _ in KINDS
        ]

    def __call__(self, x: Tensor) -> Any:
        """The outputs of the supernet at the alphas there are now."""
        self.weigh()
        return self.supernet.model(x)

    @torch.no_grad()
    def take(self, alphas: Sequence[Tensor]) -> None:
        """Sets the alphas to these numbers."""
        for own, other in zip(self.alphas, alphas, strict=True):
            own.copy_(other)

    def weigh(self) -> None:
        """Gives the edges of the supernet the shares that the alphas say."""
        for kind, alphas in zip(KINDS, self.alphas, strict=True):
            first = 0
            for state in range(INPUTS, INPUTS + self.space.nodes):
                shares = alphas[first : first + state].softmax(1)[:, :-1]
                self.supernet.weigh(kind, state, shares.flatten())
                first += state

    def genotype(self) -> Genotype:
        """Every node with its two strongest operations, on different states where the space asks
        for that; how strong one is on a state says its alpha, no operation left out.
        """
        return Genotype(*[self._cell(shares) for shares in self._shares()])

    def _shares(self) -> list[Tensor]:
        """The shares of operations, (edges, operations) a kind of cell, as they are now."""
        return [alphas.detach().softmax(1)[:, :-1].cpu() for alphas in self.alphas]

    def _cell(self, shares: Tensor) -> CellGenotype:
        nodes, first = list[tuple[tuple[str, int], ...]](), 0
        for state in range(INPUTS, INPUTS + self.space.nodes):
            best = shares[first : first + state].max(1)
            strongest = best.values.argsort(descending=True)[:2].sort().values.tolist()
            nodes.append(tuple([(self.space.operations[int(best.indices[source])], source)
                                for source in strongest]))  # fmt: skip
            first += state
        return CellGenotype(tuple(nodes), self.space.output(nodes))

    def code(self) -> str:
        """The code of `genotype`."""
        return self.space.written(self.genotype())

    def ranking(self, count: int, skips: int | None = None) -> dict[str, float]:
        """The strength of `code`, and of codes next to it, of no more than so many skips in the
        normal cell: the geometric mean of the shares of their edges, which no code has a larger
        one of than `code`.
        """
        own, shares = self.code(), self._shares()
        near = [code for code in self.space.neighbours(own)
                if skips is None or skips_of(self.space.genotype(code)) <= skips]  # fmt: skip
        scores = {code: self._strength(code, shares) for code in (own, *near)}
        best = sorted(scores, key=lambda code: (code != own, -scores[code]))[:count]
        return {code: scores[code] for code in best}

    def _strength(self, code: str, shares: Sequence[Tensor]) -> float:
        genotype, logs = self.space.genotype(code), list[Tensor]()
        for cell, own in zip((genotype.normal, genotype.reduction), shares, strict=True):
            first = 0
            for state, edges in enumerate(cell.nodes, INPUTS):
                logs += [own[first + source, self.space.operations.index(name)].log()
                         for name, source in edges]  # fmt: skip
                first += state
        return float(torch.stack(logs).mean().exp())


def skips_of(genotype: Genotype) -> int:
    """Skips in the normal cell."""
    return sum([name in SKIPS for node in genotype.normal.nodes for name, _ in node])
