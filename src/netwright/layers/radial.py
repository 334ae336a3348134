"""Distances to fixed points."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["RadialBasis"]


class RadialBasis(nn.Module):
    """The squared distance to `out_features` codes of +1 and -1, rows 1, 2, ... of a Hadamard
    matrix: (N, F) -> (N, out_features) (LeCun et al. 1998). The codes are a buffer.
    """

    codes: Tensor

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        rows = [
            [(-1.0) ** (row & column).bit_count() for column in range(in_features)]
            for row in range(1, out_features + 1)
        ]
        self.register_buffer("codes", torch.tensor(rows))

    def forward(self, x: Tensor) -> Tensor:
        # |x - c|^2 with |c|^2 = F, since every element of c is one or minus one
        return x.square().sum(1, keepdim=True) - 2 * x @ self.codes.T + self.codes.shape[1]

    def extra_repr(self) -> str:
        out_features, in_features = self.codes.shape
        return f"{in_features}, {out_features}"
