"""Rules for all of a value, moved: reshaped, permuted, flipped, repeated, of another type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from netwright.core.field import Taps
from netwright.foreign.aliases import viewed
from netwright.foreign.axes import stretched, windowed
from netwright.foreign.fallback import plain
from netwright.foreign.homes import getters, homes
from netwright.foreign.layout import dims_of, on_axes, permuted, reshaped
from netwright.foreign.seeing import sees
from netwright.foreign.trace import Tracer, answers
from netwright.foreign.traced import META, Origin, Traced, traced

__all__ = []


def _views(*names: str) -> None:
    """Views that keep the order of elements."""

    def rule_of(name: str) -> Any:
        method = getattr(Tensor, name, None) or getattr(torch, name)

        def rule(t: Tracer, x: Any, *args: Any, **kwargs: Any) -> Any:
            if type(x) is not Traced:
                return NotImplemented
            if name == "squeeze" and t.batched and not args and not kwargs:  # the batch stays
                args = (tuple([d for d, n in enumerate(x.full) if d and n == 1]),)
            result = plain(method, (x, *args), kwargs)
            return viewed(x, result, reshaped(x.origin, x.full, tuple(result.shape)))

        return rule

    for name in names:
        answers(*homes(name))(rule_of(name))


_views("view", "reshape", "flatten", "squeeze", "unsqueeze", "unflatten", "ravel", "view_as",
       "reshape_as")  # fmt: skip


@answers(*homes("clone"))
def _copy(t: Tracer, x: Any, *args: Any, **kwargs: Any) -> Any:
    return traced(x.full, x.kind, x.origin)


@answers(*homes("detach"))
def _detach(t: Tracer, x: Any) -> Any:
    return viewed(x, plain(Tensor.detach, (x,)), x.origin)


@answers(*homes("contiguous"))
def _contiguous(t: Tracer, x: Any, *args: Any, **kwargs: Any) -> Any:
    same = x.kin is None or plain(Tensor.is_contiguous, (x, *args), kwargs)
    return x if same else traced(x.full, x.kind, x.origin)


@answers(*homes("requires_grad_", "cpu", "cuda", "alias",
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
        result = plain(method, (x, *args), kwargs) if args or kwargs or name != "to" else x
        return x if result.dtype == x.kind else traced(x.full, result.dtype, x.origin)

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
    return viewed(x, plain(Tensor.permute, (x, order)), permuted(x.origin, order))


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


@answers(*homes("expand", "expand_as", "broadcast_to"))
def _expand(t: Tracer, x: Any, *sizes: Any) -> Any:
    result = plain(Tensor.expand_as if isinstance(sizes[0], Tensor) else Tensor.expand, (x, *sizes))
    return viewed(x, result, stretched(x.origin, x.full, tuple(result.shape)))


def _fresh(name: str) -> None:
    method = getattr(Tensor, name, None) or getattr(torch, name)

    def rule(t: Tracer, x: Any, *args: Any, **kwargs: Any) -> Any:
        """What only has the shape or type of `x` is a constant."""
        if type(x) is not Traced:
            return NotImplemented
        with torch._C.DisableTorchFunctionSubclass():
            blank = torch.empty((), dtype=x.kind, device=t.device).expand(x.full)
            result = method(blank, *args, **kwargs)
        actual = None if result.device == META else result
        return traced(tuple(result.shape), result.dtype, Origin(), actual)

    answers(*homes(name))(rule)


for _name in ("zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like",
              "randint_like", "new_zeros", "new_ones", "new_empty", "new_full"):  # fmt: skip
    _fresh(_name)


@answers(Tensor.new_tensor)
def _new_tensor(t: Tracer, x: Any, data: Any, **kwargs: Any) -> Any:
    kwargs.setdefault("dtype", x.kind)
    return t.answer(torch.tensor, (data,), kwargs)


# --------------------------------------------------- positions in another order


def _each_dim(x: Traced, full: tuple[int, ...], taps: Iterable[tuple[int, Taps]]) -> Origin:
    origin = x.origin
    for dim, one in taps:
        origin = windowed(origin, dim, one, full[dim])
    return origin


@sees(*homes("flip"))
def _flip(full: tuple[int, ...], x: Any, *dims: Any) -> Origin | None:
    given = dims[0] if len(dims) == 1 else dims
    taps = [(d, Taps(((full[d] - 1, 1),), 1, -1)) for d in dims_of(x, given)]
    return _each_dim(x, full, taps)


@sees(*homes("roll"))
def _roll(full: tuple[int, ...], x: Any, shifts: Any, dims: Any = None) -> Origin | None:
    if dims is None or dims == ():
        return None
    moved = [shifts] if isinstance(shifts, int) else shifts
    return _each_dim(x, full, [(d, _rolled(x, d, s))
                               for d, s in zip(dims_of(x, dims), moved, strict=True)])  # fmt: skip


def _rolled(x: Traced, dim: int, shift: int) -> Taps:
    """A shift; what comes back at the other end is taken for a border, as in circular padding,
    unless there is much of it.
    """
    n = x.full[dim]
    shift = (shift + n // 2) % n - n // 2
    field = x.origin.field
    finite = field is not None and any(axis.finite for axis in field.axes or ())
    if 4 * abs(shift) > n or finite:
        return Taps(tuple(((i - shift) % n, 1) for i in range(n)), 1, 0)
    return Taps(((-shift, 1),))


@sees(*homes("repeat_interleave"))
def _interleave(full: tuple[int, ...], x: Any, repeats: Any, dim: Any = None, **_: Any) -> Any:
    if dim is None or not isinstance(repeats, int):
        return None
    return windowed(x.origin, dim % len(full), Taps(((0, 1),) * repeats), full[dim])


@sees(*homes("repeat", "tile"))
def _repeat(full: tuple[int, ...], x: Any, *_: Any, **__: Any) -> Origin | None:
    if len(full) != len(x.full):
        return None
    taps = [(d, Taps(tuple((i % n, 1) for i in range(m)), 1, 0))
            for d, (n, m) in enumerate(zip(x.full, full, strict=True)) if n != m]  # fmt: skip
    return _each_dim(x, full, taps)


@sees(*homes("tril", "triu"))
def _triangle(full: tuple[int, ...], x: Any, *_: Any, **__: Any) -> Origin | None:
    return None if on_axes(x.origin) & {len(full) - 2, len(full) - 1} else x.origin


@sees(Tensor.real.__get__, Tensor.imag.__get__, torch.real, torch.imag)  # type: ignore[attr-defined]
def _part(full: tuple[int, ...], x: Any) -> Origin | None:
    return x.origin
