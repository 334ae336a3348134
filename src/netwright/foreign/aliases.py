"""Values that share memory: a view, what it is a view of, and what writing to one means for the
others. PyTorch's own views on the meta device say where each of them lies.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from netwright.core.field import Taps
from netwright.foreign.axes import joined, windowed
from netwright.foreign.layout import lost, reshaped
from netwright.foreign.traced import META, NOWHERE, Origin, Traced, traced

__all__ = ["alike", "changed", "viewed"]


def shares(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors have one memory."""
    same: Any = torch._C
    return same._is_alias_of(a, b)


def viewed(x: Traced, result: Tensor, origin: Origin) -> Traced:
    """The traced value of `result`, which PyTorch computed from `x`, maybe as a view."""
    value: Any = result.as_subclass(Traced)
    value.full, value.kind = tuple(result.shape), result.dtype
    value.origin, value.actual = origin, None
    if shares(result, x):
        if x.kin is None:
            x.kin = [weakref.ref(x)]
        x.kin.append(weakref.ref(value))
        value.kin = x.kin
    return value


def alike(xs: Sequence[Traced], result: Tensor, origin: Origin) -> Traced:
    """The traced value of a tensor that PyTorch computed from `xs`, or from their numbers, and
    which may be a view of one of them.
    """
    if result.device == META:
        for x in xs:
            if shares(result, x):
                return viewed(x, result, origin)
        return traced(tuple(result.shape), result.dtype, origin)
    for x in xs:
        base = x.actual
        if isinstance(base, Tensor) and result.dtype == base.dtype and shares(result, base):
            here = _place(x)
            if (here.sizes, here.steps) == (tuple(base.shape), base.stride()):
                first = here.first + int(result.storage_offset() - base.storage_offset())
                with torch._C.DisableTorchFunctionSubclass():
                    view = torch.as_strided(x, result.shape, result.stride(), first)
                value = viewed(x, view, origin)
                value.actual = result
                return value
    return traced(tuple(result.shape), result.dtype, origin, result)


def changed(x: Traced) -> None:
    """Tells all that share memory with `x` that it was written to."""
    if x.kin is None:
        return
    kin = [value for ref in x.kin if (value := ref()) is not None]
    x.kin[:] = [weakref.ref(value) for value in kin]
    here = _place(x)
    for value in kin:
        if value is not x and _overlap(here, there := _place(value)):
            source = x.origin.source
            value.origin = _written(x, here, value, there)._replace(source=source)


class _Place(NamedTuple):
    """Where a value lies in memory: its first element, and the steps of dimensions."""

    first: int
    sizes: tuple[int, ...]
    steps: tuple[int, ...]

    @property
    def last(self) -> int:
        return self.first + sum((n - 1) * s for n, s in zip(self.sizes, self.steps, strict=True))

    @property
    def dense(self) -> bool:
        """Whether it is one piece of memory, the last dimension running fastest."""
        step = 1
        for n, s in zip(reversed(self.sizes), reversed(self.steps), strict=True):
            if n > 1 and s != step:
                return False
            step *= n
        return True

    @property
    def numel(self) -> int:
        return torch.Size(self.sizes).numel()


def _place(x: Traced) -> _Place:
    with torch._C.DisableTorchFunctionSubclass():
        return _Place(int(Tensor.storage_offset(x)), x.full, Tensor.stride(x))


def _overlap(a: _Place, b: _Place) -> bool:
    """Whether they may have an element in common; for views of like steps, whether they have."""
    if a.last < b.first or b.last < a.first or 0 in (a.numel, b.numel):
        return False
    if a.steps != b.steps:
        return True
    left = abs(a.first - b.first)
    sizes = a.sizes if a.first < b.first else b.sizes
    for step, n in sorted(zip(a.steps, sizes, strict=True), reverse=True):
        if n > 1 or step <= left:
            shift, left = divmod(left, step) if step else (0, left)
            if shift >= n:
                return False
    return left == 0


def _written(x: Traced, here: _Place, y: Traced, there: _Place) -> Origin:
    """The origin of `y` after `x`, which it shares memory with, was written to."""
    if here == there:
        return x.origin
    if here.dense and there.dense and (here.first, here.numel) == (there.first, there.numel):
        return reshaped(x.origin, x.full, y.full)
    new, old = x.origin.field, y.origin.field
    span = here.last - here.first + 1
    within = here.first <= there.first and there.last <= here.last and here.numel == span
    if new is None and (old is None or within):
        return Origin()
    if new is None:  # numbers: what is left of the rest, if they are at every position
        at = _on_dims(y.origin, there, here)
        sizes = [here.sizes[d] for d in at or ()]
        return y.origin if at and sizes == [*y.origin.sizes] else lost(y.origin)
    dims = _on_dims(x.origin, here, there)
    part = _laid(x, here, y, there, dims, old or within) if dims else None
    if part is None:
        return lost(x.origin, y.origin)
    if within or old is None:
        return part
    return joined([(y.origin, y.full), (part, y.full)], y.full)


def _laid(
    x: Traced, here: _Place, y: Traced, there: _Place, dims: tuple[int, ...], covered: object
) -> Origin | None:
    """The origin of `x` as it lies in `y`; None where it ends within an axis of `y` and something
    was there before.
    """
    part = x.origin._replace(dims=dims)
    for axis, d in enumerate(dims):
        n = y.full[d]
        if part.sizes[axis] != n:
            if covered:
                return None
            start = (here.first - there.first) // there.steps[d] % n
            part = windowed(part, d, Taps(((-start, 1),)), n)
    return part


def _on_dims(origin: Origin, here: _Place, there: _Place) -> tuple[int, ...] | None:
    """On which dimension of the value at `there` the axes lie that are those of the value at
    `here`; None where they do not lie alike.
    """
    if origin.field is None or origin.field.axes is None or origin.atoms:
        return None
    dims: list[int] = []
    for d, n in zip(origin.dims, origin.sizes, strict=True):
        step = here.steps[d] if d != NOWHERE else 0
        at = [e for e, (m, s) in enumerate(zip(there.sizes, there.steps, strict=True))
              if s == step and m > 1]  # fmt: skip
        if d == NOWHERE or len(at) != 1:
            return None
        shift = abs(here.first - there.first) // step
        if there.sizes[at[0]] == n and shift % n:
            return None
        dims.append(at[0])
    return tuple(dims)
