"""Convolutions whose padding PyTorch's own do not know."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import Generator, Tensor, nn

from netwright.layers.padding import Pads, inside, pad, random_pad

__all__ = [
    "CroppedConv1d",
    "CroppedConv2d",
    "CroppedConv3d",
    "PaddedConv1d",
    "PaddedConv2d",
    "PaddedConv3d",
    "RandomlyPaddedConv1d",
    "RandomlyPaddedConv2d",
    "RandomlyPaddedConv3d",
    "TiedGroupedConv",
    "cropped_conv",
    "padded_conv",
    "randomly_padded_conv",
]


class _Padded:
    """Pads its input by `pads`, a (before, after) pair an axis, then convolves.

    `border` is one of `netwright.layers.pad`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        pads: Pads,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        border: str | float = "zeros",
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bias)  # type: ignore[call-arg]
        self.pads = tuple(pads)
        self.border = border

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(pad(input, self.pads, self.border))  # type: ignore[misc]

    def extra_repr(self) -> str:
        border = "" if self.border == "zeros" else f", border={self.border!r}"
        return f"{super().extra_repr()}, pads={self.pads}{border}"  # type: ignore[misc]


class _Cropped(_Padded):
    """Drops the kernel's parts outside the map and scales the rest by prod(k) / parts left
    (Liu et al. 2018, arXiv:1811.11718): y = r conv(x) + b, the ratio r by position.
    """

    def forward(self, input: Tensor) -> Tensor:
        y = self._conv_forward(pad(input, self.pads), self.weight, None)  # type: ignore[attr-defined]
        windows: Any = zip(
            input.shape[2:], self.kernel_size, self.stride, self.pads, self.dilation, strict=True  # type: ignore[attr-defined]
        )  # fmt: skip
        left = torch.ones((), device=y.device)
        for axis in windows:
            left = left[..., None] * inside(*axis, like=y)
        y = y * (prod(self.kernel_size) / left.clamp(min=1)).to(y.dtype)  # type: ignore[attr-defined]
        if self.bias is None:  # type: ignore[attr-defined]
            return y
        return y + self.bias.to(y.dtype).reshape(-1, *[1] * len(self.pads))  # type: ignore[attr-defined]


class _RandomlyPadded(_Padded):
    """In training, splits the total padding of every axis at random between its two sides,
    one draw for the batch, from `generator` where one is set; pads as told in evaluation.
    """

    generator: Generator | None = None

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:  # type: ignore[attr-defined]
            return super().forward(input)
        wide = random_pad(input, self.pads, self.generator)
        return self._conv_forward(wide, self.weight, self.bias)  # type: ignore[attr-defined]


class PaddedConv1d(_Padded, nn.Conv1d):
    """`nn.Conv1d` with a (before, after) pair of padding and any border."""


class PaddedConv2d(_Padded, nn.Conv2d):
    """`nn.Conv2d` with a (before, after) pair of padding an axis and any border."""


class PaddedConv3d(_Padded, nn.Conv3d):
    """`nn.Conv3d` with a (before, after) pair of padding an axis and any border."""


class CroppedConv1d(_Cropped, nn.Conv1d):
    """`nn.Conv1d` that renormalises what is left of its kernel at the border."""


class CroppedConv2d(_Cropped, nn.Conv2d):
    """`nn.Conv2d` that renormalises what is left of its kernel at the border."""


class CroppedConv3d(_Cropped, nn.Conv3d):
    """`nn.Conv3d` that renormalises what is left of its kernel at the border."""


class RandomlyPaddedConv1d(_RandomlyPadded, nn.Conv1d):
    """`nn.Conv1d` whose padding moves at random in training."""


class RandomlyPaddedConv2d(_RandomlyPadded, nn.Conv2d):
    """`nn.Conv2d` whose padding moves at random in training."""


class RandomlyPaddedConv3d(_RandomlyPadded, nn.Conv3d):
    """`nn.Conv3d` whose padding moves at random in training."""


padded_conv = (PaddedConv1d, PaddedConv2d, PaddedConv3d)
"""By the number of axes, less one."""
cropped_conv = (CroppedConv1d, CroppedConv2d, CroppedConv3d)
"""By the number of axes, less one."""
randomly_padded_conv = (RandomlyPaddedConv1d, RandomlyPaddedConv2d, RandomlyPaddedConv3d)
"""By the number of axes, less one."""


class TiedGroupedConv(nn.Module):
    """One convolution of C / groups channels runs over every group of channels alike (Wang &
    Yu 2020, arXiv:2009.12021): (N, C, ...) -> (N, groups O, ...) where `conv` makes O.
    """

    def __init__(self, conv: nn.Module, groups: int) -> None:
        super().__init__()
        self.conv = conv
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        n, channels = x.shape[:2]
        y = self.conv(x.reshape(n * self.groups, channels // self.groups, *x.shape[2:]))
        return y.reshape(n, self.groups * y.shape[1], *y.shape[2:])

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
