"""Rules for windows: convolution, pooling, resizing, padding."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.core.field import Field, Taps, Window
from netwright.core.shape import show, slid
from netwright.errors import ShapeError
from netwright.foreign.axes import read, through
from netwright.foreign.homes import homes
from netwright.foreign.layout import lost
from netwright.foreign.pointwise import owners
from netwright.foreign.trace import Tracer, answers
from netwright.foreign.traced import Origin, Traced, traced
from netwright.foreign.units import adaptive_unit, conv_unit, one, pool_unit, transposed_unit
from netwright.units import ChannelShuffle, PixelShuffle, PixelUnshuffle, Upsample
from netwright.units.window import sliding_window

__all__ = ["interpolation"]


def _tuple(value: Any, rank: int) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,) * rank
    value = tuple(value)
    return value * rank if len(value) == 1 else value


def _reached(x: Any) -> bool:
    return type(x) is Traced and x.origin.field is not None


def _by_weights(t: Tracer, made: Traced, *weights: Any) -> Traced:
    """What a window makes whose weights come from the input: from all of it, or nobody can say."""
    fields = [w.origin.field for w in weights if type(w) is Traced and w.origin.field is not None]
    if fields:
        whole = all(field.whole for field in fields)
        origin = made.origin
        field = origin.field._replace(whole=True) if whole and origin.field else Field(None)
        made.origin = origin._replace(field=field) if whole else Origin(field, source=origin.source)
        t.rows[-1] = t.rows[-1]._replace(field=field)
    return made


def _conv(rank: int) -> None:
    def rule(
        t: Tracer, input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1,
    ) -> Any:  # fmt: skip
        x, w = t.value(input), t.value(weight)
        if x.origin.field is None or len(x.full) != rank + 2:
            return NotImplemented
        if w.full[1] * groups != x.full[1]:
            raise ShapeError(
                f"conv{rank}d takes {w.full[1] * groups} channels, got {show(x.full[1:])}"
            )
        pad = padding if isinstance(padding, str) else _tuple(padding, rank)
        unit = conv_unit(w.full[0], w.full[2:], _tuple(stride, rank), pad, _tuple(dilation, rank),
                         groups, bias is not None)  # fmt: skip
        weights = owners(w, t.value(bias) if bias is not None else None)
        return _by_weights(t, t.unit(unit, x, weights, f"conv{rank}d"), weight, bias)

    def transposed(
        t: Tracer, input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
    ) -> Any:  # fmt: skip
        x, w = t.value(input), t.value(weight)
        if x.origin.field is None or len(x.full) != rank + 2:
            return NotImplemented
        if w.full[0] != x.full[1]:
            raise ShapeError(
                f"conv_transpose{rank}d takes {w.full[0]} channels, got {show(x.full[1:])}"
            )
        unit = transposed_unit(
            w.full[1] * groups, w.full[2:], _tuple(stride, rank), _tuple(padding, rank),
            _tuple(output_padding, rank), groups, bias is not None, _tuple(dilation, rank),
        )  # fmt: skip
        weights = owners(w, t.value(bias) if bias is not None else None)
        return _by_weights(t, t.unit(unit, x, weights, f"conv_transpose{rank}d"), weight, bias)

    answers(*homes(f"conv{rank}d"))(rule)
    answers(*homes(f"conv_transpose{rank}d"))(transposed)


def _pools(rank: int) -> None:
    def biggest(
        t: Tracer, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
        dilation: Any = 1, ceil_mode: bool = False, return_indices: bool = False,
    ) -> Any:  # fmt: skip
        if len(input.full) != rank + 2 or not _reached(input):
            return NotImplemented
        kernel, padding = _tuple(kernel_size, rank), _tuple(padding, rank)
        stride = _tuple(stride, rank) if stride not in (None, [], ()) else kernel
        name = f"max_pool{rank}d"
        if _tuple(dilation, rank) == (1,) * rank and not return_indices:
            return t.unit(pool_unit("max", kernel, stride, padding, ceil_mode), input, name=name)
        windows = sliding_window(rank, kernel, stride, padding, _tuple(dilation, rank))
        axes = zip(input.full[2:], *windows[:4], strict=True)
        full = (*input.full[:2], *[slid(*axis, ceil_mode) for axis in axes])
        origin = through(input, windows.taps, full[1:])
        made = t.operation(name, [input], full, ops=prod(kernel) * prod(full), origin=origin)
        return (made, traced(full, torch.int64, made.origin)) if return_indices else made

    def with_indices(t: Tracer, *args: Any, return_indices: bool = True, **kwargs: Any) -> Any:
        return biggest(t, *args, return_indices=True, **kwargs)

    def average(
        t: Tracer, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
        ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: Any = None,
    ) -> Any:  # fmt: skip
        if len(input.full) != rank + 2 or not _reached(input) or divisor_override:
            return NotImplemented
        stride = _tuple(stride, rank) if stride not in (None, [], ()) else None
        unit = pool_unit("avg", _tuple(kernel_size, rank), stride, _tuple(padding, rank), ceil_mode,
                         count_include_pad)  # fmt: skip
        return t.unit(unit, input, name=f"avg_pool{rank}d")

    def adaptive(t: Tracer, input: Any, output_size: Any) -> Any:
        if len(input.full) != rank + 2 or not _reached(input):
            return NotImplemented
        sizes = [output_size] * rank if isinstance(output_size, int | None) else output_size
        cells = [input.full[i + 2] if n is None else n for i, n in enumerate(sizes)]
        return t.unit(adaptive_unit(tuple(cells)), input, name=f"adaptive_avg_pool{rank}d")

    answers(*homes(f"max_pool{rank}d"))(biggest)
    answers(*homes(f"max_pool{rank}d_with_indices"))(with_indices)
    answers(*homes(f"avg_pool{rank}d"))(average)
    answers(*homes(f"adaptive_avg_pool{rank}d"))(adaptive)


for _rank in (1, 2, 3):
    _conv(_rank)
    _pools(_rank)


# -------------------------------------------------------------------- resizing


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
    if not _reached(x) or rank < 1:
        return NotImplemented
    if size is None:
        factors = [scale_factor] * rank if isinstance(scale_factor, int | float) else scale_factor
        size = [int(n * s) for n, s in zip(x.full[2:], factors, strict=True)]
        exact = all(m == n * s for m, n, s in zip(size, x.full[2:], factors, strict=True))
    else:
        size, exact = [int(n) for n in _tuple(size, rank)], True
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
        t.unit(one(PixelShuffle, scale), x, name="pixel_shuffle") if _reached(x) else NotImplemented
    )


@answers(*homes("pixel_unshuffle"))
def _pixel_unshuffle(t: Tracer, x: Any, scale: int) -> Any:
    unit = one(PixelUnshuffle, scale)
    return t.unit(unit, x, name="pixel_unshuffle") if _reached(x) else NotImplemented


@answers(*homes("channel_shuffle"))
def _channel_shuffle(t: Tracer, x: Any, groups: int) -> Any:
    return (
        t.unit(one(ChannelShuffle, groups), x, name="channel_shuffle")
        if _reached(x)
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
        origin = read(origin, d, Taps(((-before, 1),)), x.full[d] + before + after)
    return t.operation("pad", [x], full, origin=origin)
