"""Rules for maps of another size: resizing, padding, channels dealt out to positions and back."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.core.field import Taps, Window
from netwright.foreign.axes import through, windowed
from netwright.foreign.homes import homes
from netwright.foreign.layout import lost
from netwright.foreign.sliding import reached
from netwright.foreign.trace import Tracer, answers
from netwright.foreign.traced import Traced
from netwright.foreign.units import adaptive_unit, axes_of, one
from netwright.units import ChannelShuffle, PixelShuffle, PixelUnshuffle, Upsample

__all__ = ["interpolation"]


def interpolation(
    n: int, into: int, reads: int, corners: bool = False, centred: bool = False
) -> Taps:
    """Taps of resizing `n` positions `into` others, each read from `reads` neighbours.

    A single neighbour is the one at floor(i n / into), or the `centred` one, PyTorch's
    nearest-exact. `corners` puts the first and last positions onto each other. Borders, where
    PyTorch reads a position twice, are as everywhere else.

    >>> interpolation(14, 28, 2).reach
    ((-1, 2), (0, 2))
    """
    top, bottom = (n - 1, into - 1) if corners and into > 1 else (n, into)
    shared = gcd(top, bottom) or 1
    reach: list[tuple[int, int]] = []
    for i in range(bottom // shared or 1):
        if reads == 1:
            reach.append(((2 * i + 1) * top // (2 * bottom) if centred else i * top // bottom, 1))
            continue
        half = Fraction(0) if corners else Fraction(1, 2)
        at = (i + half) * Fraction(top, bottom or 1) - half
        whole = at.numerator // at.denominator
        reach.append((whole, 1) if at == whole else (whole + 1 - reads // 2, reads))
    return Taps(tuple(reach), 1, top // shared)


@answers(F.interpolate)
def _interpolate(
    t: Tracer, input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: Any = None, antialias: bool = False,
) -> Any:  # fmt: skip
    x, rank = input, len(input.full) - 2
    if not reached(x) or rank < 1:
        return NotImplemented
    if size is None:
        factors = [scale_factor] * rank if isinstance(scale_factor, int | float) else scale_factor
        size = [int(n * s) for n, s in zip(x.full[2:], factors, strict=True)]
        exact = all(m == n * s for m, n, s in zip(size, x.full[2:], factors, strict=True))
    else:
        size, exact = [int(n) for n in axes_of(size, rank)], True
    if mode == "area":
        return t.unit(adaptive_unit(tuple(size)), x, name="interpolate")
    reads = 1 if "nearest" in mode else 4 if "cubic" in mode else 2
    scales = [m // n for m, n in zip(size, x.full[2:], strict=True)]
    word = {1: "nearest", 2: "linear", 4: "cubic"}[reads]
    if (
        exact
        and not align_corners
        and not antialias
        and all(s >= 1 and s * n == m for s, m, n in zip(scales, size, x.full[2:], strict=True))
    ):
        scale = scales[0] if len({*scales}) == 1 else tuple(scales)
        return t.unit(one(Upsample, scale, word), x, name="interpolate")
    full = (*x.full[:2], *size)
    window: Window = tuple(
        interpolation(n, m, reads, bool(align_corners), mode == "nearest-exact")
        for n, m in zip(x.full[2:], size, strict=True)
    )
    origin = lost(x.origin) if antialias or not exact else through(x, window, full[1:])
    return t.operation("interpolate", [x], full, ops=prod(full) * reads**rank, origin=origin)


@answers(*homes("pixel_shuffle"))
def _pixel_shuffle(t: Tracer, x: Any, scale: int) -> Any:
    return (
        t.unit(one(PixelShuffle, scale), x, name="pixel_shuffle") if reached(x) else NotImplemented
    )


@answers(*homes("pixel_unshuffle"))
def _pixel_unshuffle(t: Tracer, x: Any, scale: int) -> Any:
    unit = one(PixelUnshuffle, scale)
    return t.unit(unit, x, name="pixel_unshuffle") if reached(x) else NotImplemented


@answers(*homes("channel_shuffle"))
def _channel_shuffle(t: Tracer, x: Any, groups: int) -> Any:
    return (
        t.unit(one(ChannelShuffle, groups), x, name="channel_shuffle")
        if reached(x)
        else NotImplemented
    )


@answers(F.pad, torch.constant_pad_nd)
def _pad(t: Tracer, x: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    if type(x) is not Traced or isinstance(pad, Tensor):
        return NotImplemented
    pairs = {
        len(x.full) - 1 - i: (int(pad[2 * i]), int(pad[2 * i + 1])) for i in range(len(pad) // 2)
    }
    full = tuple([n + sum(pairs.get(d, (0, 0))) for d, n in enumerate(x.full)])
    if full == x.full:
        return x
    origin = x.origin
    for d, (before, after) in pairs.items():
        origin = windowed(origin, d, Taps(((-before, 1),)), x.full[d] + before + after)
    return t.operation("pad", [x], full, origin=origin)
