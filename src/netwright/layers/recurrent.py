"""PyTorch's recurrent layers, batch first, returning the outputs and nothing else."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["GRU", "LSTM", "RNN", "CatFeatures"]


class _Recurrent:
    """(N, T, F) -> (N, T, H), with `last` the state after the last step, (N, H).

    `bidirectional` puts the outputs of both directions side by side, 2 H; the last state of
    the backward one is that at the first step. Keywords are those of PyTorch's layer.
    """

    def __init__(
        self,
        width_in: int,
        width: int,
        num_layers: int = 1,
        *,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        last: bool = False,
        **options: Any,
    ) -> None:
        options |= {"bias": bias, "dropout": dropout, "bidirectional": bidirectional}
        options |= {"num_layers": num_layers, "batch_first": True}
        super().__init__(width_in, width, **options)  # type: ignore[call-arg]
        self.width_in, self.width, self.last = width_in, width, last

    def forward(self, input: Tensor) -> Tensor:
        y, state = super().forward(input)  # type: ignore[misc]
        if not self.last:
            return y
        h = state[0] if isinstance(state, tuple) else state
        directions = 2 if self.bidirectional else 1  # type: ignore[attr-defined]
        return torch.cat(h[-directions:].unbind(0), 1)

    def extra_repr(self) -> str:
        return super().extra_repr() + (", last=True" if self.last else "")  # type: ignore[misc]


class RNN(_Recurrent, nn.RNN):  # type: ignore[misc]
    """`nn.RNN` that returns its outputs, (N, T, H), or its last state, (N, H)."""

    def __init__(
        self,
        width_in: int,
        width: int,
        num_layers: int = 1,
        *,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        last: bool = False,
        nonlinearity: str = "tanh",
    ) -> None:
        super().__init__(
            width_in, width, num_layers, bias=bias, dropout=dropout,
            bidirectional=bidirectional, last=last, nonlinearity=nonlinearity,
        )  # fmt: skip


class LSTM(_Recurrent, nn.LSTM):  # type: ignore[misc]
    """`nn.LSTM` that returns its outputs, (N, T, H), or its last state, (N, H)."""


class GRU(_Recurrent, nn.GRU):  # type: ignore[misc]
    """`nn.GRU` that returns its outputs, (N, T, H), or its last state, (N, H)."""


class CatFeatures(nn.Module):
    """Its inputs side by side along the last axis."""

    def forward(self, *xs: Tensor) -> Tensor:
        return torch.cat(xs, -1)
