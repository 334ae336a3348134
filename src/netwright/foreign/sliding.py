"""Rules for windows: convolution, pooling, patches."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.core.field import Field, Taps, resampling
from netwright.core.shape import show, slid
from netwright.errors import ShapeError
from netwright.foreign.axes import lies_as_usual, through, windowed
from netwright.foreign.homes import homes
from netwright.foreign.pointwise import owners
from netwright.foreign.seeing import sees
from netwright.foreign.trace import Tracer, answers
from netwright.foreign.traced import BATCH, NOWHERE, Atom, Origin, Traced, traced
from netwright.foreign.units import adaptive_unit, axes_of, conv_unit, pool_unit, transposed_unit
from netwright.units.window import sliding_window

__all__ = ["reached"]


def reached(x: Any) -> bool:
    """Whether the input reaches a value."""
    return type(x) is Traced and x.origin.field is not None


def _by_weights(t: Tracer, result: Traced, *weights: Any) -> Traced:
    """What a window makes whose weights come from the input: from all of it, or nobody can say."""
    fields = [w.origin.field for w in weights if type(w) is Traced and w.origin.field is not None]
    if fields:
        whole = all(field.whole for field in fields)
        origin = result.origin
        field = origin.field._replace(whole=True) if whole and origin.field else Field(None)
        result.origin = (
            origin._replace(field=field) if whole else Origin(field, source=origin.source)
        )
        t.rows[-1] = t.rows[-1]._replace(field=field)
    return result


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
        pad = padding if isinstance(padding, str) else axes_of(padding, rank)
        unit = conv_unit(w.full[0], w.full[2:], axes_of(stride, rank), pad, axes_of(dilation, rank),
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
            w.full[1] * groups, w.full[2:], axes_of(stride, rank), axes_of(padding, rank),
            axes_of(output_padding, rank), groups, bias is not None, axes_of(dilation, rank),
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
        if len(input.full) != rank + 2 or not reached(input):
            return NotImplemented
        kernel, padding = axes_of(kernel_size, rank), axes_of(padding, rank)
        stride = axes_of(stride, rank) if stride not in (None, [], ()) else kernel
        name = f"max_pool{rank}d"
        if axes_of(dilation, rank) == (1,) * rank and not return_indices:
            return t.unit(pool_unit("max", kernel, stride, padding, ceil_mode), input, name=name)
        windows = sliding_window(rank, kernel, stride, padding, axes_of(dilation, rank))
        axes = zip(input.full[2:], *windows[:4], strict=True)
        full = (*input.full[:2], *[slid(*axis, ceil_mode) for axis in axes])
        origin = through(input, windows.taps, full[1:])
        result = t.operation(name, [input], full, ops=prod(kernel) * prod(full), origin=origin)
        return (result, traced(full, torch.int64, result.origin)) if return_indices else result

    def with_indices(t: Tracer, *args: Any, return_indices: bool = True, **kwargs: Any) -> Any:
        return biggest(t, *args, return_indices=True, **kwargs)

    def average(
        t: Tracer, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
        ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: Any = None,
    ) -> Any:  # fmt: skip
        if len(input.full) != rank + 2 or not reached(input) or divisor_override:
            return NotImplemented
        stride = axes_of(stride, rank) if stride not in (None, [], ()) else None
        kernel, padding = axes_of(kernel_size, rank), axes_of(padding, rank)
        unit = pool_unit("avg", kernel, stride, padding, ceil_mode, count_include_pad)
        return t.unit(unit, input, name=f"avg_pool{rank}d")

    def adaptive(t: Tracer, input: Any, output_size: Any) -> Any:
        if len(input.full) != rank + 2 or not reached(input):
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


# What has no unit: PyTorch's kernels tell shapes and work.


@sees(*homes(*[f"adaptive_max_pool{rank}d{end}" for rank in (1, 2, 3)
               for end in ("", "_with_indices")]))  # fmt: skip
def _adaptive(full: tuple[int, ...], x: Any, *_: Any, **__: Any) -> Origin | None:
    if lies_as_usual(x.full, x.origin.dims) and set(full[2:]) == {1}:
        return Origin(Field(None, True))
    taps = [resampling(n, m) for n, m in zip(x.full[2:], full[2:], strict=True)]
    return through(x, tuple(taps), full[1:])


@sees(*homes("lp_pool1d", "lp_pool2d", "lp_pool3d"))
def _lp_pool(full: tuple[int, ...], x: Any, norm_type: float, kernel_size: Any, stride: Any = None,
             ceil_mode: bool = False) -> Origin | None:  # fmt: skip
    return _pooled(full, x, kernel_size, stride)


@sees(*homes("avg_pool1d", "avg_pool2d", "avg_pool3d"))
def _pooled(full: tuple[int, ...], x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
            *_: Any, **__: Any) -> Origin | None:  # fmt: skip
    rank = len(full) - 2
    kernel, pad = axes_of(kernel_size, rank), axes_of(padding, rank)
    hop = kernel if stride in (None, (), []) else axes_of(stride, rank)
    return through(x, sliding_window(rank, kernel, hop, pad).taps, full[1:])


@sees(Tensor.unfold)
def _windows(full: tuple[int, ...], x: Any, dimension: int, size: int, step: int) -> Origin | None:
    """Windows side by side, what is in them on a new last dimension."""
    dim = dimension % len(x.full)
    origin = windowed(x.origin, dim, Taps(((0, size),), 1, step), full[dim])
    atoms = (*origin.atoms, (Atom(size),)) if origin.atoms else ()
    return origin._replace(atoms=atoms)


@sees(F.unfold)
def _patches(full: tuple[int, ...], x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
             stride: Any = 1) -> Origin | None:  # fmt: skip
    """Every window of a map as a column."""
    if len(x.full) != 4:
        return None
    kernel, pad, hop = (axes_of(v, 2) for v in (kernel_size, padding, stride))
    windows = sliding_window(2, kernel, hop, pad, axes_of(dilation, 2))
    cells = [slid(*axis) for axis in zip(x.full[2:], *windows[:4], strict=True)]
    origin = through(x, windows.taps, (x.full[1], *cells))
    if not origin.dims:
        return origin
    dims = tuple([2 if n > 1 else NOWHERE for n in cells])
    columns = tuple([Atom(n, axis) for axis, n in enumerate(cells) if n > 1])
    several = ((Atom(full[0], BATCH),), (Atom(full[1]),), columns)
    return origin._replace(dims=dims, atoms=several if len(columns) > 1 else ())
