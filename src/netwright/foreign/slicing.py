"""Rules for parts of values, and for values side by side."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from netwright.core.join import Cat
from netwright.foreign.aliases import changed, viewed
from netwright.foreign.axes import aligned, indexed, joined, merged, sliced
from netwright.foreign.fallback import plain
from netwright.foreign.homes import homes
from netwright.foreign.layout import lost, on_axes, resized
from netwright.foreign.trace import Tracer, answers
from netwright.foreign.traced import Origin, Traced, traced
from netwright.foreign.units import one

__all__ = []


@answers(Tensor.__getitem__)
def _getitem(t: Tracer, x: Any, index: Any) -> Any:
    parts = list(index) if isinstance(index, tuple) else [index]
    chosen = [p for p in parts if not (p is None or p is Ellipsis or type(p) in (int, slice))]
    if any(not isinstance(p, list) for p in chosen) or len(chosen) > 1:
        return NotImplemented
    result = plain(Tensor.__getitem__, (x, index))
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        missing = len(x.full) - sum(p is not None and p is not Ellipsis for p in parts)
        parts[at : at + 1] = [slice(None)] * missing
    origin = x.origin
    if origin.dims:
        origin = _indexed(x, parts)
    return viewed(x, result, origin)


def _indexed(x: Traced, parts: list[Any]) -> Origin:
    """The origin of `x[parts]`; each part is a slice, a number, a list of them, or None."""
    origin, where, d, new = x.origin, dict[int, int](), 0, 0
    for part in parts:
        if part is None:
            new += 1
            continue
        if isinstance(part, slice):
            start, stop, step = part.indices(x.full[d])
            if (start, stop, step) != (0, x.full[d], 1):
                origin = sliced(origin, d, start, step, len(range(start, stop, step)))
        if isinstance(part, slice) or (isinstance(part, list) and d not in on_axes(origin)):
            where[d] = new
        if isinstance(part, list):
            origin = origin if d in on_axes(origin) else resized(origin, d, len(part))
        if isinstance(part, int):
            origin = sliced(origin, d, part % x.full[d], 1, 1)
        new += not isinstance(part, int)
        d += 1
    where.update({d + i: new + i for i in range(len(x.full) - d)})
    return indexed(origin, where, new + len(x.full) - d)


def _cut(name: str) -> None:
    method = getattr(Tensor, name)

    def rule(t: Tracer, x: Any, *args: Any, **kwargs: Any) -> Any:
        if type(x) is not Traced:
            return NotImplemented
        pieces = plain(method, (x, *args), kwargs)
        dim = (args[1] if len(args) > 1 else kwargs.get("dim", 0)) % len(x.full)
        result, start = list[Traced](), 0
        for piece in pieces:
            full = tuple(piece.shape)
            result.append(viewed(x, piece, sliced(x.origin, dim, start, 1, full[dim])))
            start += full[dim]
        return tuple(result)

    answers(*homes(name))(rule)


for _name in ("chunk", "split", "tensor_split", "split_with_sizes"):
    _cut(_name)


@answers(*homes("narrow"))
def _narrow(t: Tracer, x: Any, dim: int, start: int, length: int) -> Any:
    return _getitem(t, x, (*[slice(None)] * (dim % len(x.full)), slice(start, start + length)))


@answers(*homes("select"))
def _select(t: Tracer, x: Any, dim: int, index: int) -> Any:
    return _getitem(t, x, (*[slice(None)] * (dim % len(x.full)), index))


@answers(*homes("index_select"))
def _index_select(t: Tracer, x: Any, dim: int, index: Any) -> Any:
    x, dim = t.value(x), dim % len(x.full)
    full = (*x.full[:dim], index.numel(), *x.full[dim + 1 :])
    origin = lost(x.origin) if dim in on_axes(x.origin) else resized(x.origin, dim, full[dim])
    return traced(full, x.kind, origin)


@answers(*homes("unbind"))
def _unbind(t: Tracer, x: Any, dim: int = 0) -> Any:
    return tuple([_select(t, x, dim, i) for i in range(x.full[dim])])


@answers(Tensor.__iter__)
def _iterate(t: Tracer, x: Any) -> Any:
    return iter(_unbind(t, x))


# -------------------------------------------------------------------- joining


@answers(*homes("cat", "concat", "concatenate"))
def _cat(t: Tracer, tensors: Any, dim: int = 0, *, axis: int | None = None) -> Any:
    xs = [t.value(x) for x in tensors]
    rank = len(xs[0].full)
    dim = (dim if axis is None else axis) % rank
    if any(len(x.full) != rank for x in xs):
        return NotImplemented
    first = xs[0].full
    if any(x.full[:dim] + x.full[dim + 1 :] != first[:dim] + first[dim + 1 :] for x in xs):
        sizes = tuple([x.full[1:] for x in xs])
        one(Cat).shape(*sizes)  # says what does not fit
    full = (*first[:dim], sum(x.full[dim] for x in xs), *first[dim + 1 :])
    apart = not any(dim in on_axes(x.origin) for x in xs)
    parts = [(resized(x.origin, dim, full[dim]), full) for x in xs if x.origin.field is not None]
    origin = joined(parts, full) if parts and apart else lost(*[x.origin for x in xs])
    unit = one(Cat) if dim == 1 and all(x.origin.field is not None for x in xs) else "cat"
    return t.operation(unit, xs, full, origin=origin)


@answers(*homes("stack"))
def _stack(t: Tracer, tensors: Any, dim: int = 0) -> Any:
    xs = [t.value(x) for x in tensors]
    dim %= len(xs[0].full) + 1
    full = (*xs[0].full[:dim], len(xs), *xs[0].full[dim:])
    where = {d: d + (d >= dim) for d in range(len(xs[0].full))}
    origin = indexed(merged(xs, xs[0].full), where, len(full))
    origin = resized(origin, dim, len(xs))
    return t.operation("stack", xs, full, origin=origin)


# -------------------------------------------------------------------- writing


@answers(Tensor.__setitem__)
def _setitem(t: Tracer, x: Any, index: Any, value: Any) -> None:
    part = _getitem(t, x, index)
    values = [t.value(value)] if isinstance(value, Tensor) else []
    if part is not NotImplemented and part.kin is not None:
        _overwrite(part, values)
        return
    chosen = [index] if type(index) is Traced and index.full == x.full else None
    single = all(v.numel() == 1 for v in values)
    origin = lost(*[v.origin for v in (x, *values)])
    if chosen and single:
        origin = aligned([x, *chosen, *values], x.full)._replace(source=origin.source)
    x.origin = origin
    changed(x)


def _overwrite(x: Traced, values: list[Traced]) -> None:
    """Writes the values, none for numbers, to all of `x`."""
    origin = aligned(values, x.full) if values else Origin()
    source = max(v.origin.source for v in (x, *values))
    x.origin = origin._replace(source=source)
    changed(x)


@answers(*homes("copy_", "fill_", "zero_"))
def _write(t: Tracer, x: Any, *args: Any, **kwargs: Any) -> Any:
    if type(x) is not Traced:
        return NotImplemented
    _overwrite(x, [t.value(v) for v in (*args, *kwargs.values()) if isinstance(v, Tensor)])
    return x
