"""Convolutional long short-term memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["ConvLSTM"]


class ConvLSTM(nn.Module):
    """(N, T, C, ...) -> (N, T, width, ...), with `last` (N, width, ...), over one, two or three
    axes of `size` (Shi et al. 2015, arXiv:1506.04214).

    i, f = sigmoid(Wx * x + Wh * h + P c + b); g = tanh(Wx * x + Wh * h + b); c' = f c + i g;
    o = sigmoid(Wx * x + Wh * h + P c' + b); h' = o tanh(c'). `*` convolves with zeros around,
    the peepholes P weigh every element of the cell. Gates stand in PyTorch's order i, f, g, o.

    All time steps go through the input's convolution at once, all gates through the state's.
    """

    peepholes: Tensor | None

    def __init__(
        self,
        channels: int,
        width: int,
        kernel: Sequence[int],
        size: Sequence[int],
        *,
        peepholes: bool = True,
        last: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        kind: Any = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(size) - 1]
        padding = tuple(k // 2 for k in kernel)
        self.channels, self.width = channels, width
        self.kernel, self.size = tuple(kernel), tuple(size)
        self.last, self.bias = last, bias
        self.input = kind(channels, 4 * width, tuple(kernel), padding=padding, bias=bias)
        self.state = kind(width, 4 * width, tuple(kernel), padding=padding, bias=False)
        weights = nn.Parameter(torch.zeros(3, width, *size)) if peepholes else None
        self.register_parameter("peepholes", weights)

    def forward(self, input: Tensor) -> Tensor:
        gates = self.input(input.flatten(0, 1)).unflatten(0, input.shape[:2])
        h = c = gates.new_zeros(gates.shape[0], self.width, *gates.shape[3:])
        # split once: the gradients of slices would be filled up with zeros at every step
        peepholes = None if self.peepholes is None else self.peepholes.split((2, 1))
        outputs: list[Tensor] = []
        for given in gates.unbind(1):
            h, c = self._step((given + self.state(h)).unflatten(1, (4, self.width)), c, peepholes)
            outputs.append(h)
        return h if self.last else torch.stack(outputs, 1)

    def _step(
        self, gates: Tensor, c: Tensor, peepholes: tuple[Tensor, ...] | None
    ) -> tuple[Tensor, Tensor]:
        """The next state and cell, from the products of all gates, (N, 4, width, ...)."""
        keep, new, out = gates.split((2, 1, 1), 1)
        c = c.unsqueeze(1)
        if peepholes is not None:
            keep = torch.addcmul(keep, peepholes[0], c)
        i, f = torch.sigmoid(keep).split(1, 1)
        c = torch.addcmul(f * c, i, torch.tanh(new))
        if peepholes is not None:
            out = torch.addcmul(out, peepholes[1], c)
        h = torch.sigmoid(out) * torch.tanh(c)
        return h.squeeze(1), c.squeeze(1)

    def extra_repr(self) -> str:
        return f"{self.width}, peepholes={self.peepholes is not None}, last={self.last}"
