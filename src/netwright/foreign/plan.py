"""The plan of any module: `nw.plan(module, (3, 224, 224))`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_leaves

from netwright.core.field import Field
from netwright.core.net import Net
from netwright.core.plan import DTYPES, Plan, Row, of_bytes
from netwright.core.shape import Shape
from netwright.core.spec import Spec
from netwright.errors import SpecError, TraceError
from netwright.foreign import (
    deformable,
    dynamic,
    modules,
    moving,
    pointwise,
    products,
    reducing,
    resizing,
    slicing,
    sliding,
)
from netwright.foreign.calls import call
from netwright.foreign.hooks import hooks_of
from netwright.foreign.inputs import Inputs, entered
from netwright.foreign.operation import Operation
from netwright.foreign.state import compiles, own_tensors, untouched
from netwright.foreign.trace import Tracer
from netwright.foreign.traced import META

__all__ = ["plan_module"]

_Followed: TypeAlias = tuple[Tracer, Inputs, Any]
"""What a forward pass wrote down, what went into it, and what it returned."""

# Importing these registers their rules.
_RULES = (dynamic, modules, moving, pointwise, products, reducing, resizing, slicing, sliding)


def plan_module(
    module: nn.Module | Net | Spec, inputs: Any = None, *, name: str | None = None,
    dtype: str | None = None, batch: int | None = None, strict: bool = False,
    values: bool = False, batch_dim: Any = None, input_dtype: Any = None, hooks: bool = False,
) -> Plan:  # fmt: skip
    """Shapes, costs and receptive fields of any `nn.Module`, without changing it.

    The forward pass is followed in evaluation mode on values that have no numbers; only what no
    input reaches keeps its own. Operations nobody gave a rule are named in `plan.partial`.

    `inputs`: a shape without the batch, several such shapes, or tensors as the module takes
        them, nested, or a dict of keywords. A shape is one image. Tensors are taken as they
        are, and counted as they are: MACs of eight images are eight times those of one.
    `batch_dim`: the dimension along which the images of given tensors lie; then the first image
        alone is planned, and counted, and the bytes are of as many as there are. One for all
        tensors, or one for each input, None for those that have no batch.
    `input_dtype`: the type of inputs given as shapes, such as "int64" for words; or of each.
    `values`: really run the module, on the numbers of the tensors (of shapes, random ones), for
        one that asks for them. Rows, costs and fields are the same.
    `hooks`: run the hooks that hang on the module; else they are named in `plan.hooks`.
    `strict`: raise `TraceError` for operations without a rule.
    `dtype`, `batch`: what bytes are of.

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
        return module.plan(inputs, dtype=dtype or "float32", batch=1 if batch is None else batch)
    parts = _checked(module, values)
    (_, root), (kind, device) = parts[0], _kind(parts)
    item = DTYPES[of_bytes(dtype, batch or 1)] if dtype else None
    deformable.register()

    def follow() -> _Followed:
        entering = entered(inputs, kind, batch_dim=batch_dim, types=input_dtype, values=values,
                           device=device)  # fmt: skip
        tracer = Tracer(parts, values=values, batched=entering.batched, device=device,
                        item=item)  # fmt: skip
        with untouched(parts, tracer, call, hooks):
            return tracer, entering, root(*entering.args, **entering.kwargs)

    tracer, entering, result = _followed(follow)
    images = (entering.images or 1) if batch is None else batch
    word = of_bytes(dtype or str(kind).removeprefix("torch."), images)
    rows = (*tracer.rows, *_left(tracer, parts))
    if strict and tracer.partial:
        raise TraceError(f"no rule for {', '.join(tracer.partial)}; give one by "
                         "netwright.count(operation)(formula)")  # fmt: skip
    return Plan(
        name or type(module).__name__, _shape((entering.args, entering.kwargs)), _shape(result),
        rows, word, images, tuple(tracer.partial), () if hooks else hooks_of(parts),
    )  # fmt: skip


def _kind(parts: Sequence[tuple[str, nn.Module]]) -> tuple[torch.dtype, torch.device]:
    """The type of the numbers that a module computes with, and the device they are on."""
    numbers = (w.dtype for w in _weights(parts) if w.is_floating_point() or w.is_complex())
    device = next((w.device for w in _weights(parts)), META)
    return next(numbers, torch.float32), torch.device("cpu") if device == META else device


def _followed(follow: Callable[[], _Followed]) -> _Followed:
    """What following the module gives; once more if PyTorch's compiler came in on the way, for
    then it rests.
    """
    compiler = compiles()
    try:
        return follow()
    except TraceError:
        if compiler or not compiles():
            raise
        return follow()


def _weights(parts: Sequence[tuple[str, nn.Module]]) -> Iterator[Tensor]:
    return (w for _, part in parts for w in own_tensors(part) if w is not None)


def _checked(module: Any, values: bool) -> list[tuple[str, nn.Module]]:
    """The parts of what can be followed; `SpecError` for anything else."""
    if not isinstance(module, nn.Module):
        got = f"the class {module.__name__}" if isinstance(module, type) else repr(module)
        raise SpecError(f"plan takes a Net, a spec with its input, or a torch.nn.Module; got {got}")
    parts = parts_of(module)
    for path, part in parts:
        if isinstance(part, LazyModuleMixin) and any(
            w is not None and is_lazy(w) for w in own_tensors(part)
        ):
            raise SpecError(
                f"{path or 'the module itself'} ({type(part).__name__}) has no weights yet: it is "
                "lazy, and its first forward pass says their shapes; run the module once before"
            )
    if values and any(w.device == META for w in _weights(parts)):
        raise SpecError(
            "values=True runs the module, and its weights are on the meta device, without "
            "numbers; make it on a real device, or plan it without values"
        )
    return parts


def parts_of(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """What `named_modules` lists, without its recursion: deep nets have thousands of parts."""
    parts: dict[int, tuple[str, nn.Module]] = {}
    left = [("", module)]
    while left:
        path, part = left.pop()
        if id(part) in parts:
            continue
        parts[id(part)] = path, part
        prefix = f"{path}." if path else ""
        for name, child in reversed(part._modules.items()):
            if child is not None:
                left.append((prefix + name, child))
    return [*parts.values()]


def _shape(value: Any) -> Shape:
    """The shape of the first tensor in a value, batch left out."""
    return next((tuple(tensor.shape)[1:] for tensor in tensors_in(value)), ())


def tensors_in(value: Any) -> list[Tensor]:
    """The tensors in what a forward pass returns: nested, in dataclasses, in objects."""
    tensors, left, seen = list[Tensor](), [value], set[int]()
    while left:
        value = left.pop(0)
        if isinstance(value, Tensor):
            tensors.append(value)
            continue
        if id(value) in seen:
            continue
        seen.add(id(value))
        leaves = tree_leaves(value)
        if len(leaves) == 1 and leaves[0] is value:
            leaves = [*vars(value).values()] if hasattr(value, "__dict__") else []
        left = [*leaves, *left]
    return tensors


def _left(tracer: Tracer, parts: Sequence[tuple[str, nn.Module]]) -> list[Row]:
    """A row for every part whose weights nothing used: only training runs it, or nobody."""
    rows = list[Row]()
    for path, part in parts:
        params, buffers, stored = tracer.claim(own_tensors(part))
        if params or buffers:
            field = Field(None)
            row = Row(path, Operation("not run"), ((),), (), 0, 0, 0, 0, field, (), True)
            rows.append(row.holding(params, buffers, stored))
    return rows
