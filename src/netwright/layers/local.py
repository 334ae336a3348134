"""Convolutions whose kernel depends on the position: unshared, and a few in turn."""

from __future__ import annotations

from itertools import product
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwright.layers.padding import Pads, pad

__all__ = ["LocallyConnected", "TiledConv", "columns"]

Axes = tuple[int, ...]


def columns(x: Tensor, kernel: Axes, stride: Axes, dilation: Axes) -> Tensor:
    """A view of every window of `x`: (N, C, H, W) -> (N, C, H', W', K, L)."""
    for axis, (k, s, d) in enumerate(zip(kernel, stride, dilation, strict=True), 2):
        x = x.unfold(axis, d * (k - 1) + 1, s)[..., ::d]
    return x


class _ByPosition(nn.Module):
    """As many kernels an axis as `sets` says, each with its own bias.

    The weight is (kernels, out_channels, in_channels prod(kernel_size)): with an axis for each
    of its sizes it would be as a volume's, which `.to(memory_format=...)` cannot put beside an
    image's.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        sets: Axes,
        kernel_size: Axes,
        stride: Axes,
        pads: Pads,
        dilation: Axes,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.sets = tuple(sets)
        self.kernel_size, self.stride, self.dilation = kernel_size, stride, dilation
        self.pads = tuple(pads)
        self.in_channels, self.out_channels = in_channels, out_channels
        count, inputs = prod(sets), in_channels * prod(kernel_size)
        self.weight = nn.Parameter(torch.empty(count, out_channels, inputs))
        self.bias = nn.Parameter(torch.empty(count, out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Uniform within 1 / sqrt(fan in), as PyTorch's convolutions."""
        bound = self.weight[0, 0].numel() ** -0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        return (
            f"weight={tuple(self.weight.shape)}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, pads={self.pads}, dilation={self.dilation}"
        )


class LocallyConnected(_ByPosition):
    """Every position has a kernel of its own: y(o, p) = b(p, o) + sum_k w(p, o, k) x(p + k).

    (N, C, ...) -> (N, out_channels, *sets), for maps that give exactly `sets` positions. The
    kernels are those of the positions in row-major order.
    """

    def forward(self, x: Tensor) -> Tensor:
        rank = len(self.sets)
        seen = columns(pad(x, self.pads), self.kernel_size, self.stride, self.dilation)
        if seen.shape[2 : 2 + rank] != self.sets:
            raise ValueError(
                f"a map of {tuple(x.shape[2:])} has {tuple(seen.shape[2 : 2 + rank])} positions, "
                f"the layer has kernels for {self.sets}"
            )
        # (N, C, *out, *kernel) -> (out, C kernel, N)
        order = (*range(2, 2 + rank), 1, *range(2 + rank, 2 + 2 * rank), 0)
        kernels, width, inputs = self.weight.shape
        y = self.weight @ seen.permute(order).reshape(kernels, inputs, x.shape[0])
        if self.bias is not None:
            y = y + self.bias[..., None]
        return y.permute(2, 1, 0).reshape(x.shape[0], width, *self.sets)


class TiledConv(_ByPosition):
    """Kernel sets in turn: position (i, j) has set (i mod t, j mod u) of t x u (Le et al.
    2010).

    (N, C, ...) -> (N, out_channels, ...). One set is a convolution, as many as positions
    are `LocallyConnected`. A strided convolution a set, their outputs interleaved; every
    axis of the output must have at least as many positions as tiles.
    """

    def forward(self, x: Tensor) -> Tensor:
        conv = (F.conv1d, F.conv2d, F.conv3d)[len(self.sets) - 1]
        x = pad(x, self.pads)
        weights = self.weight.unflatten(2, (self.in_channels, *self.kernel_size))
        stride = tuple(s * t for s, t in zip(self.stride, self.sets, strict=True))
        phases = [
            conv(
                x[(..., *[slice(i * s, None) for i, s in zip(at, self.stride, strict=True)])],
                weights[k], None if self.bias is None else self.bias[k], stride, 0,
                self.dilation,
            )
            for k, at in enumerate(product(*map(range, self.sets)))
        ]  # fmt: skip
        axes = zip(x.shape[2:], self.kernel_size, self.stride, self.dilation, strict=True)
        out = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in axes]
        y = phases[0].new_empty(*phases[0].shape[:2], *out)
        for at, phase in zip(product(*map(range, self.sets)), phases, strict=True):
            y[(..., *[slice(i, None, t) for i, t in zip(at, self.sets, strict=True)])] = phase
        return y
