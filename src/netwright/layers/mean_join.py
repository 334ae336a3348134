"""Modules that average several maps."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from netwright.layers.basic import Add

__all__ = ["Mean", "WeightedSum"]


class Mean(Add):
    """The mean of its inputs; those with fewer axes stretch over the rest."""

    def forward(self, *xs: Tensor) -> Tensor:
        return super().forward(*xs) / len(xs)


class WeightedSum(Add):
    """sum_i sigmoid(w_i) x_i over `inputs` inputs (Xie et al. 2019, arXiv:1904.01569)."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.inputs = inputs
        self.weight = nn.Parameter(torch.zeros(inputs))

    def forward(self, *xs: Tensor) -> Tensor:
        gates = torch.sigmoid(self.weight)
        return super().forward(*[gate * x for gate, x in zip(gates, xs, strict=True)])
