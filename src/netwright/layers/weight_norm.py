"""Weights that are computed from parameters at every call."""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

__all__ = ["MaxNorm", "WeightNorm", "WeightStandardisation"]


def _column(x: Tensor, rank: int) -> Tensor:
    """One number an output: (C,) -> (C, 1, ...)."""
    return x.view(-1, *[1] * (rank - 1))


class _Reweighted(nn.Module):
    """`body`, a convolution or dense layer, run with another weight than its own."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def reweighted(self) -> Tensor:
        """What `body` computes with."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Any:
        return functional_call(self.body, {"weight": self.reweighted()}, (x,))


class WeightNorm(_Reweighted):
    """w = gain v / |v| for every output, v the weight of `body` and the norm over all inputs of
    that output (Salimans & Kingma 2016, arXiv:1602.07868). The gain starts as |v|.
    """

    def __init__(self, body: nn.Module) -> None:
        super().__init__(body)
        self.gain = nn.Parameter(self._norm().detach().flatten().clone())

    def _norm(self) -> Tensor:
        v: Tensor = self.body.weight  # type: ignore[assignment]
        return torch.linalg.vector_norm(v, dim=tuple(range(1, v.dim())), keepdim=True)

    def reweighted(self) -> Tensor:
        v: Tensor = self.body.weight  # type: ignore[assignment]
        norm = self._norm()
        return v * (_column(self.gain, v.dim()) / (norm + (norm == 0)))  # v = 0 stays zero

    def reset_gain(self) -> None:
        """Makes the gain |v|, so that w = v: for after `body` got new initial weights."""
        with torch.no_grad():
            self.gain.copy_(self._norm().flatten())


class MaxNorm(_Reweighted):
    """w = v min(1, limit / |v|) for every output, v the weight of `body` and the norm over all
    inputs of that output. `project` makes v itself as small, as Keras' constraint of this name
    does after every step.
    """

    def __init__(self, body: nn.Module, limit: float = 1.0) -> None:
        super().__init__(body)
        self.limit = limit

    def reweighted(self) -> Tensor:
        v: Tensor = self.body.weight  # type: ignore[assignment]
        return torch.renorm(v, p=2, dim=0, maxnorm=self.limit)

    @torch.no_grad()
    def project(self) -> None:
        """Shrinks v to the limit where it is longer."""
        self.body.weight.copy_(self.reweighted())  # type: ignore[union-attr, operator]

    def extra_repr(self) -> str:
        return f"limit={self.limit}"


class WeightStandardisation(_Reweighted):
    """w = (v - mean) / sqrt(var + eps) for every output, mean and variance of v, the weight of
    `body`, over all inputs of that output (Qiao et al. 2019, arXiv:1903.10520).

    With `gain`, w is divided by the square root of the number of inputs and multiplied by a
    learnt gain for every output, so that no normalisation need follow (Brock et al. 2021,
    arXiv:2101.08692).
    """

    gain: nn.Parameter | None

    def __init__(self, body: nn.Module, eps: float = 1e-5, gain: bool = False) -> None:
        super().__init__(body)
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(len(body.weight))) if gain else None  # type: ignore[arg-type]

    def reweighted(self) -> Tensor:
        v: Tensor = self.body.weight  # type: ignore[assignment]
        var, mean = torch.var_mean(v, tuple(range(1, v.dim())), correction=0, keepdim=True)
        scale = torch.rsqrt(var + self.eps)
        if self.gain is not None:
            scale = scale * _column(self.gain, v.dim()) / sqrt(prod(v.shape[1:]))
        return (v - mean) * scale

    def extra_repr(self) -> str:
        return f"eps={self.eps}"
