"""Pools with weights: one vector a lead of a signal, and weights found by a genetic search."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwright.layers.windows import Sizes, WindowPool

__all__ = ["GeneticPool", "LeapPool"]


class LeapPool(nn.Module):
    """A learnt weighted sum of `kernel_size` neighbours in time, one weight vector a lead:
    (N, leads, T) or (N, C, leads, T), all C maps of a lead sharing its vector, ->
    (..., leads, T').

    LEAP (Sun et al. 2017, "Learning Pooling for Convolutional Neural Network") learns one
    linear combination a channel; on multi-lead signals time is pooled and leads are not
    (lead asymmetric pooling). Weights start as a mean.
    """

    def __init__(self, leads: int, kernel_size: int = 2, stride: int | None = None) -> None:
        super().__init__()
        self.leads, self.kernel_size = leads, kernel_size
        self.stride = kernel_size if stride is None else stride
        self.weight = nn.Parameter(torch.full((leads, 1, kernel_size), 1 / kernel_size))

    def forward(self, x: Tensor) -> Tensor:
        signals = x.flatten(0, -3)
        y = F.conv1d(signals, self.weight, stride=self.stride, groups=len(self.weight))
        return y.unflatten(0, x.shape[:-2])

    def extra_repr(self) -> str:
        leads, _, k = self.weight.shape
        return f"{leads}, kernel_size={k}, stride={self.stride}"


class GeneticPool(WindowPool):
    """A weighted mean of every window, the same weights for all channels, which `search`
    finds: they are a buffer, no gradient reaches them, and start equal. Zeros of the padding
    count.
    """

    weight: Tensor

    def __init__(
        self,
        kernel_size: tuple[int, ...],
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        weight = torch.ones(1, 1, *kernel_size)
        self.register_buffer("weight", weight / weight.numel())

    def forward(self, x: Tensor) -> Tensor:
        return self.slide(x, self.weight)

    @torch.no_grad()
    def search(
        self,
        data: Tensor,
        score: Callable[[Tensor], float | Tensor],
        generator: torch.Generator | None = None,
        generations: int = 30,
        population: int = 24,
        mutation: float = 0.05,
    ) -> list[float]:
        """Sets the weights to the best found by a genetic search for a high score of the
        pooled `data`; the best score of every generation, which never falls.

        A generation keeps the best, and makes the others by tournaments of two, uniform
        crossover and normal mutation of that deviation. Weights are not negative and sum
        to one; the search begins with those the layer has.
        """
        count = self.weight.numel()
        draw = torch.rand(population, count, generator=generator).to(self.weight)
        genes = draw / draw.sum(1, keepdim=True)
        genes[0] = self.weight.flatten()
        genes, top = self._ranked(genes, data, score)
        best = [top]
        for _ in range(generations):
            genes, top = self._ranked(_children(genes, mutation, generator), data, score)
            best.append(top)
        self.weight.copy_(genes[0].view_as(self.weight))
        return best

    def _ranked(
        self, genes: Tensor, data: Tensor, score: Callable[[Tensor], float | Tensor]
    ) -> tuple[Tensor, float]:
        """The genes, the one with the highest score first, and that score."""
        scores: list[float] = []
        for gene in genes:
            self.weight.copy_(gene.view_as(self.weight))
            scores.append(float(score(self(data))))
        order = torch.tensor(scores, device=genes.device).argsort(descending=True)
        return genes[order], max(scores)


def _children(genes: Tensor, mutation: float, generator: torch.Generator | None) -> Tensor:
    """The next generation of genes sorted by score; the best comes first, as it is."""
    size, count = genes.shape
    rounds = torch.randint(size, (2, size, 2), generator=generator)
    first, second = genes[rounds.amin(-1)]  # sorted: the smaller index wins
    half = torch.rand(size, count, generator=generator).to(genes) < 0.5
    noise = torch.randn(size, count, generator=generator).to(genes) * mutation
    mixed = (torch.where(half, first, second) + noise).clamp(min=1e-6)
    children = mixed / mixed.sum(1, keepdim=True)
    children[0] = genes[0]
    return children
