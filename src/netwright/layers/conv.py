"""Convolutions with different padding before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["PaddedConv1d", "PaddedConv2d", "PaddedConv3d", "padded_conv"]


class _Padded:
    """Pads its input by `pads`, a (before, after) pair an axis, then convolves."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        pads: Sequence[tuple[int, int]],
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bias)  # type: ignore[call-arg]
        # functional.pad wants the last axis first
        self.pads = tuple(n for pair in reversed(pads) for n in pair)

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(F.pad(input, self.pads))  # type: ignore[misc]

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, pads={self.pads}"  # type: ignore[misc]


class PaddedConv1d(_Padded, nn.Conv1d):
    """`nn.Conv1d` with a (before, after) pair of padding."""


class PaddedConv2d(_Padded, nn.Conv2d):
    """`nn.Conv2d` with a (before, after) pair of padding an axis."""


class PaddedConv3d(_Padded, nn.Conv3d):
    """`nn.Conv3d` with a (before, after) pair of padding an axis."""


padded_conv = (PaddedConv1d, PaddedConv2d, PaddedConv3d)
"""By the number of axes, less one."""
