"""Rules for normalisation, softmax and reductions: what is put together over whole dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from netwright.core.field import Taps
from netwright.errors import ShapeError
from netwright.foreign.axes import lies_as_usual, merged, windowed
from netwright.foreign.homes import homes
from netwright.foreign.layout import dims_of, mixed, on_axes, reduced, resized
from netwright.foreign.pointwise import owners
from netwright.foreign.seeing import Rule, sees
from netwright.foreign.trace import FUNCTIONS, Tracer, answers
from netwright.foreign.traced import Origin, Traced, traced
from netwright.foreign.units import one
from netwright.units import BatchNorm, GlobalAvgPool, GroupNorm, Softmax

__all__ = []


# --------------------------------------------------------------- normalisation


@answers(*homes("batch_norm"))
def _batch_norm(
    t: Tracer, x: Any, mean: Any = None, var: Any = None, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5, *rest: Any,
) -> Any:  # fmt: skip
    weights = owners(mean, var, weight, bias)
    x = t.value(x)
    if x.origin.field is None or not 2 <= len(x.full) <= 5:
        return t.operation("batch_norm", [x], x.full, ops=2 * x.numel(), origin=x.origin,
                           weights=weights)  # fmt: skip
    unit = one(BatchNorm, weight is not None, eps, momentum or 0.1)
    return t.unit(unit, x, weights, "batch_norm")


@answers(*homes("layer_norm"))
def _layer_norm(
    t: Tracer,
    x: Any,
    shape: Sequence[int],
    weight: Any = None,
    bias: Any = None,
    *_: Any,
    **__: Any,
) -> Any:
    x = t.value(x)
    if tuple(x.full[len(x.full) - len(shape) :]) != tuple(shape):
        raise ShapeError(f"LayerNorm over {tuple(shape)} does not fit {x.full[1:]}")
    dims = range(len(x.full) - len(shape), len(x.full))
    origin = mixed(x.origin, x.full, dims)
    return t.operation("layer_norm", [x], x.full, ops=2 * x.numel(), origin=origin,
                       weights=owners(weight, bias))  # fmt: skip


@answers(*homes("rms_norm"))
def _rms_norm(t: Tracer, x: Any, shape: Sequence[int], weight: Any = None, eps: Any = None) -> Any:
    return _layer_norm(t, x, shape, weight)


@answers(*homes("group_norm"))
def _group_norm(
    t: Tracer, x: Any, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any
) -> Any:
    x, weights = t.value(x), owners(weight, bias)
    if x.origin.field is None or not lies_as_usual(x.full, x.origin.dims):
        return NotImplemented
    return t.unit(one(GroupNorm, weight is not None, eps, groups), x, weights, "group_norm")


@answers(*homes("softmax", "log_softmax"))
def _softmax(t: Tracer, x: Any, dim: int | None = None, *_: Any, **__: Any) -> Any:
    dim = (1 if dim is None else dim) % len(x.full)
    if dim == 1 and x.origin.field is not None and 1 not in on_axes(x.origin):
        return t.unit(one(Softmax), x, name="softmax")
    return t.operation(
        "softmax", [x], x.full, ops=3 * x.numel(), origin=mixed(x.origin, x.full, [dim])
    )


@answers(*homes("normalize"))
def _normalize(
    t: Tracer, input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Any = None
) -> Any:
    x = t.value(input)
    origin = mixed(x.origin, x.full, dims_of(x, dim))
    return t.operation("normalize", [x], x.full, ops=3 * x.numel(), origin=origin)


# ------------------------------------------------------------------ reductions


def reduce_(t: Tracer, name: str, x: Any, dim: Any, keep: bool, dtype: Any = None) -> Traced:
    """The row of a reduction."""
    x = t.value(x)
    dims = tuple(sorted(dims_of(x, dim)))
    field = x.origin.field
    spatial = tuple(range(2, len(x.full)))
    if name == "mean" and dims == spatial != () and field and lies_as_usual(x.full, x.origin.dims):
        return t.unit(one(GlobalAvgPool, keep), x, name=name)
    full = tuple([1 if i in dims else n for i, n in enumerate(x.full) if keep or i not in dims])
    return t.operation(name, [x], full, ops=x.numel(), dtype=dtype,
                       origin=reduced(x.origin, x.full, dims, keep))  # fmt: skip


def _reduction(name: str, dtype: Any = None) -> None:
    keeps = 1 if name in ("var", "std") else 0  # where `keepdim` stands after `dim`

    def rule(
        t: Tracer, x: Any, dim: Any = None, *rest: Any, keepdim: bool = False, axis: Any = None,
        dtype: Any = dtype, unbiased: bool = True, correction: float = 1,
    ) -> Any:  # fmt: skip
        if isinstance(dim, bool | float | Tensor):
            return NotImplemented
        keep = keepdim or rest[keeps : keeps + 1] == (True,)
        if dtype is None and name in ("sum", "prod") and not t.value(x).kind.is_floating_point:
            dtype = torch.int64
        return reduce_(t, name, x, dim if axis is None else axis, keep, dtype)

    answers(*homes(name))(rule)


for _name in ("mean", "sum", "amax", "amin", "prod", "logsumexp", "nanmean", "var", "std"):
    _reduction(_name)
for _name in ("argmax", "argmin"):
    _reduction(_name, torch.int64)
for _name in ("any", "all"):
    _reduction(_name, torch.bool)


def _extreme(name: str) -> None:
    result = getattr(torch.return_types, name)

    elementwise = FUNCTIONS[getattr(torch, f"{name}imum")]

    def rule(
        t: Tracer, x: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None
    ) -> Any:
        if isinstance(dim, Tensor) or isinstance(other, Tensor):
            return elementwise(t, x, dim if isinstance(dim, Tensor) else other)
        best = reduce_(t, name, x, dim, keepdim)
        if dim is None:
            return best
        return result((best, traced(best.full, torch.int64, best.origin)))

    answers(*homes(name))(rule)


for _name in ("max", "min"):
    _extreme(_name)


# What has no rule above, or not as it was called: PyTorch's kernels tell shapes and work.


def _together(place: int, default: Any = None) -> Rule:
    """The rule of a function that puts dimensions together, given at `place` behind the input."""

    def rule(full: tuple[int, ...], x: Any, *args: Any, dim: Any = ..., **_: Any) -> Origin | None:
        given = args[place] if len(args) > place else default
        dims = dims_of(x, given if dim is ... else dim)
        kept = len(full) == len(x.full)
        if not kept and len(full) != len(x.full) - len(dims):
            return None
        return reduced(x.origin, x.full, dims, kept)

    return rule


sees(*homes("mode"))(_together(0, -1))
sees(*homes("median", "nanmedian", "count_nonzero", "nansum", "std_mean", "var_mean",
            "max", "min", "mean", "sum", "amax", "amin"))(_together(0, None))  # fmt: skip
sees(*homes("aminmax"))(_together(9))
sees(
    *homes("norm", "quantile", "nanquantile"), *homes("norm", "vector_norm", places=[torch.linalg])
)(_together(1))
sees(*homes("kthvalue"))(_together(1, -1))


@sees(*homes("cosine_similarity"))
def _similarity(full: tuple[int, ...], x1: Any, x2: Any, dim: int = 1, *_: Any) -> Origin | None:
    if x1.full != x2.full:
        return None
    both = merged([x for x in (x1, x2) if type(x) is Traced], x1.full)
    return reduced(both, x1.full, [dim % len(x1.full)], keep=False)


@sees(*homes("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"))
def _scan(full: tuple[int, ...], x: Any, dim: int, **_: Any) -> Origin | None:
    dim %= len(full)
    n = full[dim]
    if dim not in on_axes(x.origin):
        return x.origin
    return windowed(x.origin, dim, Taps(tuple((0, i + 1) for i in range(n)), 1, 0), n)


def _mixing(place: int, default: int = -1) -> Rule:
    """The rule of a function in which everything along a dimension has to do with everything."""

    def rule(full: tuple[int, ...], x: Any, *args: Any, dim: Any = None, **_: Any) -> Origin | None:
        at = (args[place] if len(args) > place else default) if dim is None else dim
        if not isinstance(at, int) or isinstance(at, bool) or len(full) != len(x.full):
            return None
        at %= len(full)
        if at not in on_axes(x.origin):
            return resized(x.origin, at, full[at])
        return mixed(x.origin, full, [at]) if full == x.full else None

    return rule


sees(*homes("sort", "argsort", "softmin"))(_mixing(0))
sees(*homes("topk"))(_mixing(1))


@sees(*homes("glu"))
def _glu(full: tuple[int, ...], x: Any, dim: int = -1) -> Origin | None:
    dim %= len(full)
    return None if dim in on_axes(x.origin) else resized(x.origin, dim, full[dim])


@sees(*homes("instance_norm"))
def _instance_norm(full: tuple[int, ...], x: Any, *args: Any, **kwargs: Any) -> Origin | None:
    uses = args[4] if len(args) > 4 else kwargs.get("use_input_stats", True)
    return mixed(x.origin, full, range(2, len(full))) if uses else x.origin


@sees(*homes("local_response_norm"))
def _response_norm(full: tuple[int, ...], x: Any, *_: Any, **__: Any) -> Origin | None:
    return None if 1 in on_axes(x.origin) else x.origin
