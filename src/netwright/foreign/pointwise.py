"""Rules for functions of one element, and of several at the same place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from math import prod
from typing import Any

import torch
from torch import Tensor

from netwright.core.join import Add, Mul
from netwright.core.shape import show
from netwright.core.spec import Unit
from netwright.errors import ShapeError
from netwright.foreign.aliases import changed
from netwright.foreign.axes import merged
from netwright.foreign.homes import homes
from netwright.foreign.trace import Tracer, answers
from netwright.foreign.traced import Traced
from netwright.foreign.units import one
from netwright.units import (
    ELU,
    GELU,
    SELU,
    HardSigmoid,
    HardSwish,
    LeakyReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Tanh,
)

__all__ = ["owners", "stretch"]


def owners(*values: Any) -> list[Tensor]:
    """The weights behind arguments of a function."""
    return [w for v in values if type(v) is Traced for w in v.origin.owners]


def stretch(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that tensors of these shapes broadcast to."""
    full = shapes[0]
    for shape in shapes[1:]:
        if shape != full:
            full = tuple([_wider(a, b, shapes) for a, b in _pairs(full, shape)])
    return full


def _pairs(a: tuple[int, ...], b: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Sizes one above the other, the last ones aligned."""
    missing = len(a) - len(b)
    return zip((1,) * -missing + a, (1,) * missing + b, strict=True)


def _wider(a: int, b: int, shapes: Sequence[tuple[int, ...]]) -> int:
    if a != b and 1 not in (a, b):
        raise ShapeError(f"shapes {' and '.join(map(show, shapes))} do not go together")
    return b if a == 1 else a


# ------------------------------------------------------------------ one input


def _single(make: Callable[..., Unit | None], *names: str) -> None:
    """`make(*arguments of the function)` is the unit of these functions, in place too."""

    def rule(t: Tracer, x: Any, *args: Any, inplace: bool = False, **kwargs: Any) -> Any:
        unit = make(*args, **kwargs)
        if type(x) is not Traced or x.origin.field is None or not x.full or unit is None:
            return NotImplemented
        result = t.unit(unit, x, name=names[0])
        return _into(x, result) if inplace else result

    def rule_(t: Tracer, x: Any, *args: Any, **kwargs: Any) -> Any:
        return rule(t, x, *args, inplace=True, **kwargs)

    answers(*homes(*names))(rule)
    answers(*homes(*[name + "_" for name in names]))(rule_)


def _into(x: Traced, result: Traced) -> Traced:
    """`x` after it was changed in place to what `result` is."""
    x.full, x.origin = result.full, result.origin
    changed(x)
    return x


_single(lambda *_: one(ReLU), "relu")
_single(lambda *_: one(ReLU6), "relu6")
_single(lambda *_: one(Sigmoid), "sigmoid")
_single(lambda *_: one(Tanh), "tanh")
_single(lambda *_: one(SiLU), "silu")
_single(lambda *_, approximate="none": one(GELU), "gelu")
_single(lambda *_: one(HardSwish), "hardswish")
_single(lambda *_: one(HardSigmoid), "hardsigmoid")
_single(lambda *_: one(SELU), "selu")
_single(
    lambda slope=0.01, *_, negative_slope=None: one(
        LeakyReLU, slope if negative_slope is None else negative_slope
    ),
    "leaky_relu",
)
_single(lambda alpha=1.0, *_: one(ELU, alpha), "elu")
_single(
    lambda low=-1.0, high=1.0, *_, min_val=None, max_val=None: (
        one(ReLU6) if (low, high) == (0.0, 6.0) else None
    ),
    "hardtanh",
)


# -------------------------------------------------------------- several inputs


_QUOTIENTS = ("div", "divide", "true_divide", "truediv")


def _elementwise(
    name: str, *, join: type[Add | Mul] | None = None, dtype: torch.dtype | None = None
) -> Callable[..., Any]:
    def rule(t: Tracer, *args: Any, **kwargs: Any) -> Any:
        if "out" in kwargs or (name == "where" and len(args) + len(kwargs) == 1):
            return NotImplemented
        xs = [t.value(a) for a in (*args, *kwargs.values()) if isinstance(a, Tensor)]
        full = stretch([x.full for x in xs])
        reached = [x for x in xs if x.origin.field is not None]
        alike = join and len(reached) == 2 and len(xs[0].full) == len(xs[1].full)
        unit = one(join) if join and alike else name
        kind = dtype or reduce(torch.promote_types, [x.kind for x in xs])
        if (
            "div" in name
            and "floor" not in name
            and not (kind.is_floating_point or kind.is_complex)
        ):
            kind = torch.get_default_dtype()
        if name == "abs" and kind.is_complex:
            kind = kind.to_real()
        return t.operation(unit, xs, full, ops=prod(full), origin=merged(xs, full),
                           dtype=kind)  # fmt: skip

    return rule


def _inplace(rule: Callable[..., Any]) -> Callable[..., Any]:
    def rule_(t: Tracer, x: Any, *args: Any, **kwargs: Any) -> Any:
        result = rule(t, x, *args, **kwargs)
        return _into(x, result) if type(result) is Traced and type(x) is Traced else result

    return rule_


def _several(names: str, rule_of: Callable[[str], Callable[..., Any]]) -> None:
    for name in names.split():
        rule = rule_of(name)
        answers(*homes(name, f"__{name}__", f"__r{name}__"))(rule)
        answers(*homes(f"{name}_", f"__i{name}__"))(_inplace(rule))


_several("add", lambda name: _elementwise(name, join=Add))
_several("mul multiply", lambda name: _elementwise("mul", join=Mul))
_several(
    "sub subtract div divide true_divide floor_divide floordiv truediv pow exp log log2 log10 "
    "log1p expm1 abs neg sqrt rsqrt square reciprocal sin cos tan asin acos atan atan2 sinh cosh "
    "erf erfc floor ceil round trunc sign clamp clip clamp_min clamp_max maximum minimum where "
    "lerp addcmul addcdiv fmod remainder masked_fill softplus mish logsigmoid softsign tanhshrink "
    "hardshrink softshrink celu rrelu threshold logit nan_to_num rsub fmax fmin mod erfinv frac",
    _elementwise,
)  # fmt: skip
_several("eq ne lt le gt ge logical_and logical_or logical_not isnan isinf isfinite",
         lambda name: _elementwise(name, dtype=torch.bool))  # fmt: skip


@answers(*homes("prelu"))
def _prelu(t: Tracer, x: Any, weight: Any) -> Any:
    x = t.value(x)
    return t.operation("prelu", [x], x.full, ops=x.numel(), origin=x.origin, weights=owners(weight))
