"""Rules for what moves values and computes none: views, slices, concatenation."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from netwright.core.field import Field
from netwright.core.join import Cat
from netwright.torch.foreign.axes import merged, permuted, reshaped, sliced, stretched
from netwright.torch.foreign.fallback import plain
from netwright.torch.foreign.pointwise import getters, homes
from netwright.torch.foreign.trace import Tracer, answers
from netwright.torch.foreign.traced import Origin, Traced, traced
from netwright.torch.foreign.units import one

__all__ = []


def _views(*names: str) -> None:
    """Views that keep the order of elements."""

    def rule_of(name: str) -> Any:
        method = getattr(Tensor, name, None) or getattr(torch, name)

        def rule(t: Tracer, x: Any, *args: Any, **kwargs: Any) -> Any:
            if type(x) is not Traced:
                return NotImplemented
            made = plain(method, (x, *args), kwargs)
            full = tuple(made.shape)
            return traced(full, made.dtype, reshaped(x.origin, x.full, full))

        return rule

    for name in names:
        answers(*homes(name))(rule_of(name))


_views("view", "reshape", "flatten", "squeeze", "unsqueeze", "unflatten", "ravel", "view_as",
       "reshape_as")  # fmt: skip


@answers(*homes("contiguous", "clone", "detach", "requires_grad_", "cpu", "cuda", "alias",
                "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout",
                "feature_dropout", "feature_alpha_dropout", "dropout_"),
         *getters("data"), torch.positive)  # fmt: skip
def _same(t: Tracer, x: Any, *args: Any, **kwargs: Any) -> Any:
    return x


def _caster(name: str) -> None:
    method = getattr(Tensor, name)

    def rule(t: Tracer, x: Any, *args: Any, **kwargs: Any) -> Any:
        if type(x) is not Traced:
            return NotImplemented
        kwargs = {k: v for k, v in kwargs.items() if k in ("dtype", "other")}
        args = tuple([a for a in args if isinstance(a, torch.dtype | Tensor)])
        made = plain(method, (x, *args), kwargs) if args or kwargs or name != "to" else x
        return x if made.dtype == x.kind else traced(x.full, made.dtype, x.origin)

    answers(method)(rule)


for _name in (
    "to",
    "type",
    "type_as",
    "float",
    "half",
    "double",
    "bfloat16",
    "int",
    "long",
    "bool",
):
    _caster(_name)


# ------------------------------------------------------------------ permuting


def _turned(x: Traced, order: list[int]) -> Traced:
    full = tuple([x.full[d] for d in order])
    return traced(full, x.kind, permuted(x.origin, order))


@answers(*homes("permute"))
def _permute(t: Tracer, x: Any, *order: Any, dims: Any = None) -> Any:
    order = dims or (order[0] if len(order) == 1 and not isinstance(order[0], int) else order)
    return _turned(x, [d % len(x.full) for d in order])


@answers(*homes("transpose", "swapaxes", "swapdims"))
def _transpose(
    t: Tracer, x: Any, a: int = 0, b: int = 1, *, dim0: Any = None, dim1: Any = None
) -> Any:
    rank = len(x.full)
    a, b = (a if dim0 is None else dim0) % rank, (b if dim1 is None else dim1) % rank
    order = list(range(rank))
    order[a], order[b] = b, a
    return _turned(x, order)


@answers(*homes("t"), *getters("T", "mT"))
def _t(t: Tracer, x: Any) -> Any:
    return (
        x if len(x.full) < 2 else _transpose(t, x, -1, -2) if len(x.full) == 2 else NotImplemented
    )


@answers(*homes("movedim", "moveaxis"))
def _movedim(t: Tracer, x: Any, source: Any, destination: Any) -> Any:
    rank = len(x.full)
    moved = [source] if isinstance(source, int) else list(source)
    places = [destination] if isinstance(destination, int) else list(destination)
    order: list[int | None] = [None] * rank
    for s, d in zip(moved, places, strict=True):
        order[d % rank] = s % rank
    rest = iter([d for d in range(rank) if d not in order])
    return _turned(x, [next(rest) if d is None else d for d in order])


# -------------------------------------------------------------------- slicing


@answers(Tensor.__getitem__)
def _getitem(t: Tracer, x: Any, index: Any) -> Any:
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(not (p is None or p is Ellipsis or type(p) in (int, slice)) for p in parts):
        return NotImplemented
    made = plain(Tensor.__getitem__, (x, index))
    if x.origin.field is None or not x.origin.dims:
        return traced(tuple(made.shape), made.dtype, x.origin)
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        missing = len(x.full) - sum(p is not None and p is not Ellipsis for p in parts)
        parts[at : at + 1] = [slice(None)] * missing
    origin, where, d, new = x.origin, dict[int, int](), 0, 0
    for p in [*parts, *[slice(None)] * len(x.full)]:
        if d == len(x.full) and p is not None:
            break
        if p is None:
            new += 1
        elif isinstance(p, slice):
            start, stop, step = p.indices(x.full[d])
            if (start, stop, step) != (0, x.full[d], 1):
                origin = sliced(origin, d, start, step, len(range(start, stop, step)))
            where[d] = new
            d, new = d + 1, new + 1
        else:
            d += 1
    return traced(tuple(made.shape), made.dtype, _kept(origin, where))


def _kept(origin: Origin, where: dict[int, int]) -> Origin:
    """The origin once dimensions have moved and others, taken at one index, are gone."""
    if all(d in where for d in origin.dims):
        return origin._replace(dims=tuple([where[d] for d in origin.dims]))
    whole = origin.field is not None and origin.field.whole
    return Origin(Field(None, whole), source=origin.source)


def _cut(name: str) -> None:
    method = getattr(Tensor, name)

    def rule(t: Tracer, x: Any, size: Any, dim: int = 0, **kwargs: Any) -> Any:
        if type(x) is not Traced:
            return NotImplemented
        pieces, dim = plain(method, (x, size, dim), kwargs), dim % len(x.full)
        made, start = list[Traced](), 0
        for piece in pieces:
            full = tuple(piece.shape)
            made.append(traced(full, x.kind, sliced(x.origin, dim, start, 1, full[dim])))
            start += full[dim]
        return tuple(made)

    answers(*homes(name))(rule)


for _name in ("chunk", "split", "tensor_split", "split_with_sizes"):
    _cut(_name)


@answers(*homes("narrow"))
def _narrow(t: Tracer, x: Any, dim: int, start: int, length: int) -> Any:
    return _getitem(t, x, (*[slice(None)] * (dim % len(x.full)), slice(start, start + length)))


@answers(*homes("select"))
def _select(t: Tracer, x: Any, dim: int, index: int) -> Any:
    return _getitem(t, x, (*[slice(None)] * (dim % len(x.full)), index))


@answers(*homes("unbind"))
def _unbind(t: Tracer, x: Any, dim: int = 0) -> Any:
    return tuple([_select(t, x, dim, i) for i in range(x.full[dim])])


@answers(Tensor.__iter__)
def _iterate(t: Tracer, x: Any) -> Any:
    return iter(_unbind(t, x))


@answers(*homes("expand", "expand_as", "broadcast_to"))
def _expand(t: Tracer, x: Any, *sizes: Any) -> Any:
    made = plain(Tensor.expand_as if isinstance(sizes[0], Tensor) else Tensor.expand, (x, *sizes))
    full = tuple(made.shape)
    return traced(full, x.kind, stretched(x.origin, x.full, full))


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
    aligned = not any(dim in x.origin.dims for x in xs)
    origin = merged(xs, full, aligned)
    unit = one(Cat) if dim == 1 and all(x.origin.field is not None for x in xs) else "cat"
    return t.operation(unit, xs, full, origin=origin)


@answers(*homes("stack"))
def _stack(t: Tracer, tensors: Any, dim: int = 0) -> Any:
    xs = [t.value(x) for x in tensors]
    dim %= len(xs[0].full) + 1
    full = (*xs[0].full[:dim], len(xs), *xs[0].full[dim:])
    origin = merged(xs, xs[0].full)
    origin = origin._replace(dims=tuple([d + (d >= dim) for d in origin.dims]))
    return t.operation("stack", xs, full, origin=origin)


@answers(Tensor.__setitem__)
def _setitem(t: Tracer, x: Any, index: Any, value: Any) -> None:
    xs = [x, t.value(value)] if isinstance(value, Tensor) else [x]
    x.origin = merged(xs, x.full, aligned=False)._replace(source=max(v.origin.source for v in xs))


@answers(*homes("zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like",
                "new_zeros", "new_ones", "new_empty", "new_full", "new_tensor"))  # fmt: skip
def _fresh(t: Tracer, x: Any, *args: Any, **kwargs: Any) -> Any:
    kwargs.pop("device", None)
    sizes = next((a for a in args if isinstance(a, tuple | list)), None)
    full = x.full if sizes is None else tuple(sizes)
    return traced(tuple(map(int, full)), kwargs.get("dtype") or x.kind, Origin())
