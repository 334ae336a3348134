"""The numbers behind traced values: of what no input reaches, or of all while a module runs.

A constant's numbers are computed as its functions are called, on a copy of the real tensor; what
is made of weights only when somebody asks, because a plan rarely does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from netwright.core.field import Field
from netwright.foreign.aliases import alike
from netwright.foreign.fallback import Counter, kept, resized
from netwright.foreign.formulas import FORMULAS, as_cost, key
from netwright.foreign.traced import META, Origin, Traced

__all__ = [
    "Later","constant", "each", "follow", "note_mixed", "numbers", "own_numbers", "run", "settled",
           "with_numbers"]  # fmt: skip

_INPLACE = frozenset(f"__i{name}__" for name in (
    "add", "sub", "mul", "div", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift",
    "rshift",
)) | {"__setitem__", "__set__"}  # fmt: skip


class Later(NamedTuple):
    """Numbers that are computed when they are asked for: leaf `leaf` of what `func` returns."""

    func: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}  # noqa: RUF012  never written to
    leaf: int = 0


def each(value: Any, change: Callable[[Tensor], Any]) -> Any:
    """Arguments of a function with every tensor in them changed."""
    kind = type(value)
    if kind is Traced:
        return change(value)
    if kind is list or kind is tuple:
        return kind([each(v, change) for v in value])
    if kind is dict:
        return {k: each(v, change) for k, v in value.items()}
    if kind is slice:
        return slice(*[_bound(v, change) for v in (value.start, value.stop, value.step)])
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return kind(*[each(v, change) for v in value])
    return value


def _bound(value: Any, change: Callable[[Tensor], Any]) -> Any:
    """A bound of a slice, as a number where it has one."""
    value = each(value, change)
    real = type(value) is Traced and isinstance(value.actual, Tensor)
    return int(value.actual) if real else value


def _writes(func: Any, kwargs: dict[str, Any]) -> bool:
    """Whether a function writes to its first argument, or to `out`."""
    name = getattr(func, "__name__", "")
    inplace = name.endswith("_") and not name.endswith("__")
    return inplace or name in _INPLACE or "out" in kwargs or bool(kwargs.get("inplace"))


def numbers(t: Any, value: Traced) -> Tensor | None:
    """The real tensor behind a value; None where there is none, or none any more."""
    if isinstance(value.actual, Later):
        if any(id(weight) in t.spoilt for weight in value.origin.owners):
            value.actual = None
        else:
            value.actual = _computed(t, value.actual)
    return value.actual


def _computed(t: Any, later: Later) -> Tensor | None:
    missing = False

    def actual(value: Tensor) -> Any:
        nonlocal missing
        got = numbers(t, value) if type(value) is Traced else value
        missing = missing or got is None
        return got

    args, kwargs = each((later.args, later.kwargs), actual)
    if missing:
        return None
    with torch._C.DisableTorchFunction():
        return tree_leaves(later.func(*args, **kwargs))[later.leaf]


def own_numbers(tensor: Tensor, late: bool) -> Tensor | Later | None:
    """A copy of a tensor's numbers, made now or when it is asked for; None on the meta device."""
    if tensor.device == META:
        return None
    return Later(Tensor.clone, (tensor.detach(),)) if late else tensor.detach().clone()


def follow(
    t: Any, result: Any, func: Any, args: Any, kwargs: dict[str, Any], given: list[Traced],
    fixed: list[Traced],
) -> None:  # fmt: skip
    """Notes what a call does to the numbers of the `fixed` values, those that no input reached."""
    writes = _writes(func, kwargs)
    if len(fixed) < len(given):
        for value in fixed:
            if value.origin.field is not None or (writes and value is given[0]):
                _lost(t, value)
                if value.origin.field is None:
                    value.origin = Origin(Field(None))
    elif not t.values:
        if writes:
            _lost(t, given[0])
        else:
            for i, value in enumerate(tree_leaves(result)):
                if type(value) is Traced and value.actual is None:
                    value.actual = Later(func, args, kwargs, i)


def _lost(t: Any, value: Traced) -> None:
    """Something else was written into a value, its storage, and so its views."""
    t.spoilt.update(id(weight) for weight in value.origin.owners)
    if isinstance(value.actual, Tensor):
        storage = value.actual.untyped_storage()
        _, kin = t.mixed.get(storage._cdata, (storage, value.kin))
        t.mixed[storage._cdata] = storage, kin if kin is value.kin else None
        note_mixed(t, value)
    elif not t.values:
        value.actual = None


def note_mixed(t: Any, value: Traced) -> None:
    """A constant has no numbers any more once the input was written into its storage."""
    actual = value.actual
    if isinstance(actual, Tensor) and actual.untyped_storage()._cdata in t.mixed:
        _, kin = t.mixed[actual.untyped_storage()._cdata]
        if value.origin.field is None and (kin is None or kin is not value.kin):
            value.origin = Origin(Field(None))  # else its kin have told it
        if not t.values:
            value.actual = None


def with_numbers(func: Any, args: Any, kwargs: dict[str, Any], of: Any = None) -> Any:
    """What PyTorch makes of the numbers behind the values."""
    args, kwargs = each((args, kwargs), of or _actual)
    with torch._C.DisableTorchFunctionSubclass():
        return func(*args, **kwargs)


def _actual(value: Tensor) -> Any:
    return value.actual if type(value) is Traced else value


def _counted(func: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, Counter]:
    counter = Counter()
    with counter:
        result = with_numbers(func, args, kwargs)
    formula = FORMULAS.get(key(func))
    if formula is not None:
        cost = as_cost(formula(*args, **kwargs))
        counter.macs, counter.ops, counter.unknown = cost.macs, cost.ops, []
    return result, counter


def constant(t: Any, func: Any, args: Any, kwargs: dict[str, Any], given: list[Traced]) -> Any:
    """What a function makes of constants alone; a row only where it multiplies."""
    result, counter = _counted(func, args, kwargs)
    if not any(isinstance(v, Tensor) for v in tree_leaves(result)):
        return result
    owners = tuple({id(w): w for x in given for w in x.origin.owners}.values())
    if not (counter.macs or counter.unknown):
        return _wrapped(result, Origin(owners=owners), given)
    planned = t.ruled(func, args, kwargs)
    if planned is not NotImplemented:
        return settled(planned, result, given)
    return kept(t, func, args, kwargs, given, result, counter, real=True)


def _wrapped(result: Any, origin: Origin, given: list[Traced]) -> Any:
    """Real results as traced values, those changed in place as what they were."""
    own = {id(x.actual): x for x in given}

    def wrap(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return leaf
        value = own.get(id(leaf))
        if value is None:
            return alike(given, leaf, origin)
        resized(value, tuple(leaf.shape))
        return value

    return wrap(result) if isinstance(result, Tensor) else tree_map(wrap, result)


def run(t: Any, func: Any, args: Any, kwargs: dict[str, Any], given: list[Traced]) -> Any:
    """What a function makes of values that all have numbers: its rule says the row and the
    field, PyTorch the numbers and, where there is no rule, the shapes.
    """
    result, counter = _counted(func, args, kwargs)
    if result is not None and not any(isinstance(v, Tensor) for v in tree_leaves(result)):
        return result
    planned = t.ruled(func, args, kwargs)
    if planned is NotImplemented:
        return kept(t, func, args, kwargs, given, result, counter, real=True)
    return settled(planned, result, given)


def settled(planned: Any, result: Any, given: list[Traced]) -> Any:
    """The values of a rule, with the numbers that PyTorch computed."""
    values = [v for v in tree_leaves(planned) if type(v) is Traced]
    leaves = [v for v in tree_leaves(result) if isinstance(v, Tensor)]
    if len(values) == len(leaves) and all(map(_alike, values, leaves)):
        return _filled(planned, iter(leaves), {id(x) for x in given})
    seen = [v.origin.field for v in values if v.origin.field is not None]
    whole = any(field.whole for field in seen)
    source = values[0].origin.source if values else -1
    return _wrapped(result, Origin(Field(None, whole) if seen else None, source=source), given)


def _alike(value: Traced, leaf: Tensor) -> bool:
    return value.full == tuple(leaf.shape) and value.kind == leaf.dtype


def _filled(planned: Any, leaves: Any, given: set[int]) -> Any:
    def fill(value: Any) -> Any:
        if type(value) is not Traced:
            return value
        leaf = next(leaves)
        if id(value) in given and value.actual is not leaf:  # the rule hands it on as it is
            return alike([value], leaf, value.origin)
        value.actual = leaf
        return value

    return fill(planned) if type(planned) is Traced else tree_map(fill, planned)
