"""Second-order convolution: products of two inputs of the window beside the inputs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from netwright.layers.conv import padded_conv
from netwright.layers.local import columns
from netwright.layers.padding import Pads, pad

__all__ = ["DiagonalVolterraConv", "VolterraConv"]


class VolterraConv(nn.Module):
    """y = b + sum_i w_i x_i + sum_(i <= j) w_ij x_i x_j over the n = C prod(k) inputs x of a
    window (Zoumpourlis et al. 2017, arXiv:1708.07038).

    (N, C, ...) -> (N, out_channels, ...). A kernel is n first-order weights and then the
    n (n + 1) / 2 of the products, (0, 0), (0, 1), ..., (1, 1), ...; the products of all
    windows are held at once.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        pads: Pads,
        dilation: tuple[int, ...],
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride, self.dilation = kernel_size, stride, dilation
        self.pads = tuple(pads)
        self.inputs = in_channels * torch.Size(kernel_size).numel()
        terms = self.inputs + self.inputs * (self.inputs + 1) // 2
        self.weight = nn.Parameter(torch.empty(out_channels, terms))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Uniform within 1 / sqrt(terms)."""
        bound = self.weight.shape[1] ** -0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        rank = len(self.pads)
        seen = columns(pad(x, self.pads), self.kernel_size, self.stride, self.dilation)
        out = seen.shape[2 : 2 + rank]
        seen = seen.permute(0, 1, *range(2 + rank, 2 + 2 * rank), *range(2, 2 + rank))
        seen = seen.reshape(x.shape[0], self.inputs, out.numel())
        i, j = torch.triu_indices(self.inputs, self.inputs, device=x.device)
        products = seen.index_select(1, i) * seen.index_select(1, j)
        y = self.weight @ torch.cat((seen, products), 1)
        if self.bias is not None:
            y = y + self.bias[:, None]
        return y.reshape(x.shape[0], len(self.weight), *out)

    def extra_repr(self) -> str:
        return (
            f"weight={tuple(self.weight.shape)}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, pads={self.pads}, dilation={self.dilation}"
        )


class DiagonalVolterraConv(nn.Module):
    """`VolterraConv` with the squares as its only products: a convolution of x beside x^2.

    (N, C, ...) -> (N, out_channels, ...); the kernel is (out_channels, 2 C, ...).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        pads: Pads,
        dilation: tuple[int, ...],
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.bias = in_channels, out_channels, bias
        self.kernel_size, self.stride, self.dilation = kernel_size, stride, dilation
        self.pads = tuple(pads)
        kind: Any = padded_conv[len(kernel_size) - 1]
        self.conv = kind(
            2 * in_channels, out_channels, kernel_size, stride, pads, dilation, bias=bias
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(torch.cat((x, x * x), 1))
