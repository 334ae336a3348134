"""Deformable convolution: every tap of the window moves to where the input tells it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwright.layers.padding import Pads, pad

__all__ = ["DeformableConv2d", "deformed_columns"]


def deformed_columns(
    x: Tensor,
    offset: Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...] = (1, 1),
    before: tuple[int, ...] = (0, 0),
    dilation: tuple[int, ...] = (1, 1),
) -> Tensor:
    """What every tap of every window sees at its moved place: (N, C, K L, H' W').

    x (N, C, H, W); offset (N, 2 G K L, H', W'): (dy, dx) of every tap, in positions, for each
    of G groups of channels. The tap (i, j) of output (p, q) reads x at row p s - before + d i
    + dy, and likewise its column; bilinear between positions, 0 outside.
    """
    n, channels, *sizes = x.shape
    taps = kernel[0] * kernel[1]
    out = offset.shape[2:]
    parts = offset.shape[1] // (2 * taps)
    exact = torch.promote_types(offset.dtype, torch.float32)  # bfloat16 cannot count to 300
    at: list[Tensor] = [
        torch.arange(k, device=x.device, dtype=exact)[:, None] * d
        + torch.arange(m, device=x.device, dtype=exact) * s
        - p
        for k, m, s, p, d in zip(kernel, out, stride, before, dilation, strict=True)
    ]
    everywhere = (*kernel, *out)
    rest = torch.stack(
        (at[0][:, None, :, None].expand(everywhere), at[1][:, None, :].expand(everywhere)), 2
    )
    # grid_sample wants (x, y), and counts from -1, the edge of the first position, to 1
    scale = torch.tensor([2 / size for size in sizes], device=x.device, dtype=exact)[:, None, None]
    moved = offset.to(exact).reshape(n * parts, *rest.shape)
    grid = torch.addcmul((rest + 0.5) * scale - 1, moved, scale).movedim(3, -1).flip(-1)
    images = x.reshape(n * parts, channels // parts, *sizes).to(exact)
    grid = grid.reshape(n * parts, taps * out[0], out[1], 2)
    seen = F.grid_sample(images, grid, align_corners=False)
    return seen.to(x.dtype).reshape(n, channels, taps, out[0] * out[1])


PIECES = 2
"""A batch is gathered so many times less at once: what the backward pass adds to the columns it
keeps is as large as one piece's."""


class DeformableConv2d(nn.Conv2d):
    """y(p) = b + sum over taps k of w_k m_k(p) x(p + p_k + offset_k(p)).

    (N, C, H, W) -> (N, O, H', W'). A convolution with the same window, its weights zero at
    first, predicts the offsets, so that at first this is an ordinary convolution (Dai et al.
    2017, arXiv:1703.06211); `modulated` has it also predict masks m = sigmoid(...), at first
    0.5 (Zhu et al. 2018, arXiv:1811.11168), else m = 1. Groups of channels share
    offsets, `offset_groups` in all. `pads` is a (before, after) pair an axis.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        pads: Pads = ((0, 0), (0, 0)),
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        offset_groups: int = 1,
        modulated: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bias)
        self.pads = tuple(pads)
        self.offset_groups = offset_groups
        self.modulated = modulated
        taps = self.kernel_size[0] * self.kernel_size[1]
        channels = (3 if modulated else 2) * offset_groups * taps
        # no nn.Conv2d, so that what fills a net's convolutions leaves the zeros alone
        self.offset_weight = nn.Parameter(torch.zeros(channels, in_channels, *self.kernel_size))
        self.offset_bias = nn.Parameter(torch.zeros(channels))

    def forward(self, input: Tensor) -> Tensor:
        offsets = F.conv2d(
            pad(input, self.pads), self.offset_weight, self.offset_bias, self.stride, 0,
            self.dilation,
        )  # fmt: skip
        pieces = zip(input.chunk(PIECES), offsets.chunk(PIECES), strict=True)
        y = torch.cat([self._sampled(*piece) for piece in pieces])
        return y if self.bias is None else y + self.bias.reshape(-1, 1, 1)

    def _sampled(self, x: Tensor, offsets: Tensor) -> Tensor:
        n, _, *out = offsets.shape
        positions = out[0] * out[1]
        before = (self.pads[0][0], self.pads[1][0])
        parts, taps = self.offset_groups, self.weight[0, 0].numel()
        offset, masks = offsets.split((2 * parts * taps, offsets.shape[1] - 2 * parts * taps), 1)
        seen = deformed_columns(x, offset, self.kernel_size, self.stride, before, self.dilation)
        if self.modulated:
            mask = masks.sigmoid().reshape(n, parts, 1, taps, positions)
            seen = seen.reshape(n, parts, self.in_channels // parts, taps, positions) * mask
        inputs = self.in_channels // self.groups * taps
        seen = seen.reshape(n, self.groups, inputs, positions)
        y = self.weight.reshape(self.groups, self.out_channels // self.groups, inputs) @ seen
        return y.reshape(n, self.out_channels, *out)

    def extra_repr(self) -> str:
        return (
            f"{super().extra_repr()}, pads={self.pads}, offset_groups={self.offset_groups}, "
            f"modulated={self.modulated}"
        )
