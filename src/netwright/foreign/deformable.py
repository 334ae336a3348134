"""Rules for torchvision's deformable convolution, where torchvision has been imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import prod
from typing import Any

import torch

from netwright.core.field import Field
from netwright.core.shape import show, slid
from netwright.errors import ShapeError
from netwright.foreign.axes import through
from netwright.foreign.pointwise import owners
from netwright.foreign.state import own_tensors
from netwright.foreign.trace import FUNCTIONS, MODULES, Tracer
from netwright.units.window import sliding_window

__all__ = ["register"]


def register() -> None:
    """Gives torchvision's layer and operator their rules; it is never imported for them."""
    module = sys.modules.get("torchvision.ops.deform_conv")
    if module is None or module.DeformConv2d in MODULES:
        return
    MODULES[module.DeformConv2d] = _layer
    if hasattr(torch.ops.torchvision, "deform_conv2d"):  # compiled for this build of PyTorch
        FUNCTIONS[torch.ops.torchvision.deform_conv2d] = _operator


def _layer(t: Tracer, m: Any, input: Any, offset: Any, mask: Any = None) -> Any:
    window = (m.stride, m.padding, m.dilation)
    return _deformed(t, input, offset, mask, m.weight, window, m.groups, own_tensors(m))


def _operator(
    t: Tracer, input: Any, weight: Any, offset: Any, mask: Any, bias: Any, stride_h: int,
    stride_w: int, pad_h: int, pad_w: int, dilation_h: int, dilation_w: int, groups: int,
    offset_groups: int, use_mask: bool,
) -> Any:  # fmt: skip
    window = ((stride_h, stride_w), (pad_h, pad_w), (dilation_h, dilation_w))
    weights = owners(*[t.value(w) for w in (weight, bias) if w is not None])
    return _deformed(t, input, offset, mask if use_mask else None, weight, window, groups, weights)


def _deformed(
    t: Tracer, input: Any, offset: Any, mask: Any, weight: Any, window: tuple[Any, Any, Any],
    groups: int, weights: Sequence[Any],
) -> Any:  # fmt: skip
    """A row as of `netwright.DeformableConv`, whose offsets (and masks) are given: the products
    of the convolution, and an operation for each neighbour and mask of every sample.
    """
    x, o, w = t.value(input), t.value(offset), t.value(weight)
    stride, padding, dilation = window
    kernel, width = w.full[2:], w.full[0]
    if w.full[1] * groups != x.full[1]:
        raise ShapeError(
            f"deform_conv2d takes {w.full[1] * groups} channels, got {show(x.full[1:])}"
        )
    slides = sliding_window(2, kernel, stride, padding, dilation)
    sizes = tuple([slid(*axis) for axis in zip(x.full[2:], *slides[:4], strict=True)])
    taps = prod(kernel)
    if o.full[2:] != sizes or o.full[1] % (2 * taps):
        raise ShapeError(
            f"deform_conv2d takes offsets (2 {taps} g, {', '.join(map(str, sizes))}) for g groups "
            f"of channels, got {show(o.full[1:])}"
        )
    full = (x.full[0], width, *sizes)
    positions = x.full[0] * prod(sizes)
    samples = x.full[1] * taps * positions
    xs = [x, o] if mask is None else [x, o, t.value(mask)]
    origin = through(x, slides.taps, full[1:])
    # Moved by an input, through its offsets, even where no input reaches `x`.
    origin = origin._replace(field=(origin.field or Field(None))._replace(whole=True))
    return t.operation(
        "deform_conv2d", xs, full, macs=w.numel() * positions,
        ops=(4 if mask is None else 5) * samples, origin=origin, weights=weights,
    )  # fmt: skip
