"""Padding with every border of NumPy's `pad`, and padding split at random."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

__all__ = ["Pads", "inside", "pad", "random_pad"]

Pads = Sequence[tuple[int, int]]
"""(before, after) a spatial axis, the first axis first."""


def pad(x: Tensor, pads: Pads, border: str | float = "zeros") -> Tensor:
    """`x` (N, C, ...) with more positions; `border` is "zeros", a number, "circular",
    "replicate", "reflect" (without the edge) or "symmetric" (with it).

    `symmetric` may reach further than the map is wide, and is then mirrored again.
    """
    if border == "symmetric":
        return _symmetric(x, pads)
    # functional.pad wants the last axis first
    flat = tuple(n for pair in reversed(pads) for n in pair)
    if isinstance(border, str) and border != "zeros":
        return F.pad(x, flat, border)
    return F.pad(x, flat, value=0.0 if border == "zeros" else float(border))


def _symmetric(x: Tensor, pads: Pads) -> Tensor:
    for axis, (before, after) in enumerate(pads, 2):
        n = x.shape[axis]
        at = torch.arange(-before, n + after, device=x.device) % (2 * n)
        x = x.index_select(axis, torch.where(at < n, at, 2 * n - 1 - at))
    return x


def random_pad(x: Tensor, pads: Pads, generator: Generator | None = None) -> Tensor:
    """`x` with before + after zeros an axis, all splits alike likely; one draw an axis."""
    totals = [before + after for before, after in pads]
    wide = pad(x, [(total, total) for total in totals])
    for axis, total in enumerate(totals, 2):
        start = torch.randint(total + 1, (1,), generator=generator, device=x.device)
        at = start + torch.arange(x.shape[axis] + total, device=x.device)
        wide = wide.index_select(axis, at)
    return wide


def inside(
    n: int, kernel: int, stride: int, pads: tuple[int, int], dilation: int, like: Tensor
) -> Tensor:
    """How many taps of every window of an axis lie inside its `n` positions: (positions,)."""
    out = (n + sum(pads) - dilation * (kernel - 1) - 1) // stride + 1
    first = torch.arange(out, device=like.device) * stride - pads[0]
    at = first[:, None] + torch.arange(kernel, device=like.device) * dilation
    return ((at >= 0) & (at < n)).sum(1)
