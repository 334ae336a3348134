"""Attention over sequences: every query takes a mean of the memory, weighted by a score.

Inputs are (N, T, F), time before features. `module(x)` attends to `x` itself, `module(x,
memory)` to the memory. With `need_weights=True` the weights come along, to be plotted or
supervised: (output, weights).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

__all__ = [
    "AdditiveAttention",
    "DotAttention",
    "HardAttention",
    "LocalAttention",
    "MultiHeadAttention",
]

Attended = Tensor | tuple[Tensor, Tensor]


class DotAttention(nn.Module):
    """softmax(x m^T) m, products divided by sqrt(F) if `scaled` (Luong et al. 2015,
    arXiv:1508.04025; Vaswani et al. 2017, arXiv:1706.03762). (N, Tq, F) with memory
    (N, Tk, F) -> (N, Tq, F); weights (N, Tq, Tk).
    """

    def __init__(self, scaled: bool = False) -> None:
        super().__init__()
        self.scaled = scaled

    def forward(
        self, input: Tensor, memory: Tensor | None = None, need_weights: bool = False
    ) -> Attended:
        memory = input if memory is None else memory
        scale = input.shape[-1] ** -0.5 if self.scaled else 1.0
        if not need_weights:
            return F.scaled_dot_product_attention(input, memory, memory, scale=scale)
        weights = torch.softmax(input @ memory.mT * scale, -1)
        return weights @ memory, weights

    def extra_repr(self) -> str:
        return "scaled=True" if self.scaled else ""


class AdditiveAttention(nn.Module):
    """Weights softmax(v . tanh(W x + U m)) (Bahdanau et al. 2014, arXiv:1409.0473).
    (N, Tq, `features`) with memory (N, Tk, `memory_features`) -> (N, Tq, `memory_features`);
    weights (N, Tq, Tk).
    """

    def __init__(self, features: int, memory_features: int, width: int) -> None:
        super().__init__()
        self.features, self.memory_features, self.width = features, memory_features, width
        self.query = nn.Linear(features, width, bias=False)
        self.key = nn.Linear(memory_features, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(
        self, input: Tensor, memory: Tensor | None = None, need_weights: bool = False
    ) -> Attended:
        memory = input if memory is None else memory
        bent = torch.tanh(self.query(input).unsqueeze(2) + self.key(memory).unsqueeze(1))
        weights = torch.softmax(self.score(bent).squeeze(-1), -1)
        y = weights @ memory
        return (y, weights) if need_weights else y


class MultiHeadAttention(nn.MultiheadAttention):
    """`nn.MultiheadAttention`, batch first, that returns its output and nothing else.
    (N, Tq, `features`) with memory (N, Tk, `memory_features`) -> (N, Tq, `features`); weights
    (N, heads, Tq, Tk).
    """

    def __init__(
        self, features: int, heads: int, bias: bool = True, memory_features: int | None = None
    ) -> None:
        super().__init__(
            features, heads, bias=bias, kdim=memory_features, vdim=memory_features, batch_first=True
        )
        self.features, self.heads, self.bias = features, heads, bias
        self.memory_features = memory_features

    def forward(  # type: ignore[override]
        self, input: Tensor, memory: Tensor | None = None, need_weights: bool = False
    ) -> Attended:
        memory = input if memory is None else memory
        y, weights = super().forward(
            input, memory, memory, need_weights=need_weights, average_attn_weights=False
        )
        return y if weights is None else (y, weights)


class LocalAttention(nn.Module):
    """Multi-head attention of every step to the steps at most `radius` away, itself included.
    (N, T, `features`) -> the same; weights (N, heads, T, 2 radius + 1), zero past the ends.

    Time and memory grow with T radius, not T^2.
    """

    def __init__(self, features: int, radius: int, heads: int = 1, bias: bool = True) -> None:
        super().__init__()
        self.features, self.radius, self.heads, self.bias = features, radius, heads, bias
        self.qkv = nn.Linear(features, 3 * features, bias)
        self.out = nn.Linear(features, features, bias)

    def forward(self, input: Tensor, need_weights: bool = False) -> Attended:
        q, k, v = self.qkv(input).unflatten(-1, (3, self.heads, -1)).unbind(2)
        q = q.unsqueeze(-2) * q.shape[-1] ** -0.5  # (N, T, heads, 1, F / heads)
        scores = (q @ self._windows(k)).squeeze(-2)
        weights = torch.softmax(scores.masked_fill(self._outside(input), float("-inf")), -1)
        y = (self._windows(v) @ weights.unsqueeze(-1)).squeeze(-1)
        y = self.out(y.flatten(2))
        return (y, weights.transpose(1, 2)) if need_weights else y

    def _windows(self, x: Tensor) -> Tensor:
        """(N, T, heads, D) -> (N, T, heads, D, window), zeros past the ends."""
        padded = F.pad(x, (0, 0, 0, 0, self.radius, self.radius))
        return padded.unfold(1, 2 * self.radius + 1, 1)

    def _outside(self, x: Tensor) -> Tensor:
        """(T, 1, window): which steps of the window lie past the ends."""
        steps = torch.arange(x.shape[1], device=x.device)
        near = torch.arange(-self.radius, self.radius + 1, device=x.device)
        at = steps[:, None] + near
        return ((at < 0) | (at >= x.shape[1])).unsqueeze(1)

    def extra_repr(self) -> str:
        return f"radius={self.radius}, heads={self.heads}"


class HardAttention(nn.Module):
    """One step of the memory for each query, drawn from softmax(x m^T / sqrt(F)) in training,
    the likeliest one in evaluation (Xu et al. 2015, arXiv:1502.03044, section 4.1).
    (N, Tq, F) with memory (N, Tk, F) -> (N, Tq, F); weights (N, Tq, Tk), one-hot.

    Steps are drawn by adding Gumbel noise and taking the largest, from `generator` if there is
    one. `straight-through` sends gradients through the softmax of the noisy scores over
    `temperature` (Jang et al. 2016, arXiv:1611.01144). `reinforce` sends none through the
    choice but leaves `log_prob`, (N, Tq), the log-probability of what was drawn last: add
    -(reward - baseline) log_prob to the loss.
    """

    generator: Generator | None = None
    log_prob: Tensor | None = None

    def __init__(self, estimator: str = "straight-through", temperature: float = 1.0) -> None:
        super().__init__()
        self.estimator = estimator
        self.temperature = temperature

    def forward(
        self, input: Tensor, memory: Tensor | None = None, need_weights: bool = False
    ) -> Attended:
        memory = input if memory is None else memory
        scores = input @ memory.mT * input.shape[-1] ** -0.5
        noisy = scores + self._gumbel(scores) if self.training else scores
        chosen = noisy.argmax(-1, keepdim=True)
        weights = torch.zeros_like(scores).scatter(-1, chosen, 1.0)
        if self.estimator == "straight-through":
            soft = torch.softmax(noisy / self.temperature, -1).to(scores.dtype)
            weights = weights + (soft - soft.detach())
        else:
            self.log_prob = torch.log_softmax(scores, -1).gather(-1, chosen).squeeze(-1)
        y = weights @ memory
        return (y, weights) if need_weights else y

    def _gumbel(self, like: Tensor) -> Tensor:
        noise = torch.empty(like.shape, device=like.device)
        return -noise.exponential_(generator=self.generator).log()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "log_prob": None}  # it hangs on the last batch's graph

    def extra_repr(self) -> str:
        return f"{self.estimator!r}, temperature={self.temperature}"
