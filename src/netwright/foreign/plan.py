"""The plan of any module: `nw.plan(module, (3, 224, 224))`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from netwright.core.field import Axis, Field
from netwright.core.net import Net
from netwright.core.plan import DTYPES, Plan, Row, of_bytes
from netwright.core.shape import Shape
from netwright.core.spec import Spec
from netwright.errors import ShapeError, SpecError, TraceError
from netwright.foreign import (
    deformable,
    dynamic,
    modules,
    moving,
    pointwise,
    products,
    reducing,
    slicing,
    sliding,
)
from netwright.foreign.operation import Operation
from netwright.foreign.state import held, untouched
from netwright.foreign.trace import Tracer
from netwright.foreign.traced import Origin, Traced, traced

__all__ = ["plan_module"]

# Importing these registers their rules.
_RULES = (dynamic, modules, moving, pointwise, products, reducing, slicing, sliding)


def plan_module(
    module: nn.Module | Net | Spec, inputs: Any = None, *, name: str | None = None,
    dtype: str | None = None, batch: int = 1, strict: bool = False,
) -> Plan:  # fmt: skip
    """Shapes, costs and receptive fields of any `nn.Module`, without running or changing it.

    `inputs` is a shape without the batch, several such shapes, or tensors as the module takes
    them (nested, or a dict of keywords), of which only shape and type are read. The forward
    pass is followed in evaluation mode, for one image, on values that have no numbers; hooks
    are not run. Operations nobody gave a rule are named in `plan.partial`; with `strict` they
    raise `TraceError`, as a forward pass does that asks for the value of a tensor.

    Bytes of weights are in each weight's own type, or all in `dtype` where it is given; what
    does not require a gradient is frozen. Products of complex numbers are counted as PyTorch
    counts them: one a multiply-add, three of a convolution, which it makes of three real ones.

    >>> from torch import nn
    >>> plan_module(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (3, 32, 32)).macs
    194400
    """
    if isinstance(module, Spec) and inputs is not None:
        module = Net(module, tuple(inputs), name or type(module).__name__)
    if isinstance(module, Net):
        return module.plan(inputs, dtype=dtype or "float32", batch=batch)
    if not isinstance(module, nn.Module):
        said = f"the class {module.__name__}" if isinstance(module, type) else repr(module)
        raise SpecError(
            f"plan takes a Net, a spec with its input, or a torch.nn.Module; got {said}"
        )
    kinds = [p.dtype for p in module.parameters() if p.is_floating_point() or p.is_complex()]
    kind = kinds[0] if kinds else torch.float32
    word = of_bytes(dtype or str(kind).removeprefix("torch."), batch)
    args, kwargs = _inputs(inputs, kind)
    parts = parts_of(module)
    deformable.register()
    tracer = Tracer(parts)
    tracer.item = DTYPES[word] if dtype else None
    with untouched(parts, tracer):
        made = module(*args, **kwargs)
    rows = (*tracer.rows, *_left(tracer, parts))
    partial = tuple(tracer.partial)
    if strict and partial:
        raise TraceError(
            f"no rule for {', '.join(partial)}; give one by netwright.count(operation)(formula)"
        )
    given = [v for v in tree_leaves((args, kwargs)) if isinstance(v, Tensor)]
    outs = [v for v in tree_leaves(made) if isinstance(v, Tensor)]
    return Plan(
        name or type(module).__name__, _inner(given[0]) if given else (),
        _inner(outs[0]) if outs else (), rows, word, batch, partial,
    )  # fmt: skip


def parts_of(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """What `named_modules` lists, without its recursion: deep nets have thousands of parts."""
    found: dict[int, tuple[str, nn.Module]] = {}
    left = [("", module)]
    while left:
        path, part = left.pop()
        if id(part) in found:
            continue
        found[id(part)] = path, part
        prefix = f"{path}." if path else ""
        for name, child in reversed(part._modules.items()):
            if child is not None:
                left.append((prefix + name, child))
    return [*found.values()]


def _inner(value: Any) -> Shape:
    return tuple(value.shape)[1:]


def _inputs(inputs: Any, kind: torch.dtype) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Traced arguments and keywords of the forward pass."""
    if inputs is None:
        raise ShapeError("a module does not say its input; give a shape such as (3, 224, 224)")
    if isinstance(inputs, str | int):
        raise ShapeError(f"{inputs!r} is no input; give a shape such as (3, 224, 224)")
    if isinstance(inputs, Mapping):
        return (), {key: _input(value, kind) for key, value in inputs.items()}
    if isinstance(inputs, Tensor) or _is_shape(inputs):
        return (_input(inputs, kind),), {}
    return tuple([_input(value, kind) for value in inputs]), {}


def _is_shape(value: Any) -> bool:
    whole = isinstance(value, tuple | list) and all(type(n) is int for n in value)
    if whole and any(n < 1 for n in value):
        raise ShapeError(f"an input of {tuple(value)} has a size that is no positive integer")
    return whole and len(value) > 0


def _input(value: Any, kind: torch.dtype) -> Any:
    if _is_shape(value):
        return _entering((1, *value), kind)
    return tree_map(
        lambda v: _entering((1, *v.shape[1:]), v.dtype) if isinstance(v, Tensor) and v.dim() else v,
        value,
    )


def _entering(full: tuple[int, ...], kind: torch.dtype) -> Traced:
    dims = tuple(range(2, len(full)))
    axes = tuple([Axis() for _ in dims]) or None
    return traced(full, kind, Origin(Field(axes, whole=axes is None), dims, full[2:]))


def _left(tracer: Tracer, parts: Sequence[tuple[str, nn.Module]]) -> list[Row]:
    """A row for every part whose weights nothing used: only training runs it, or nobody."""
    rows = list[Row]()
    for path, part in parts:
        params, buffers, stored = tracer.claim(held(part))
        if params or buffers:
            field = Field(None)
            row = Row(path, Operation("not run"), ((),), (), 0, 0, 0, 0, field, (), True)
            rows.append(row.holding(params, buffers, stored))
    return rows
