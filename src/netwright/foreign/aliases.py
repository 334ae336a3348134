"""Values that share memory: a view, what it is a view of, and what writing to one means for the
others. PyTorch's own views on the meta device say where each of them lies.
"""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

import torch
from torch import Tensor

from netwright.core.field import Taps
from netwright.foreign.axes import joined, lost, read
from netwright.foreign.layout import reshaped
from netwright.foreign.traced import NOWHERE, Origin, Traced

__all__ = ["changed", "viewed"]


def viewed(x: Traced, made: Tensor, origin: Origin) -> Traced:
    """The traced value of `made`, which PyTorch computed from `x` and which may be a view of it."""
    value: Any = made.as_subclass(Traced)
    value.full, value.kind = tuple(made.shape), made.dtype
    value.origin, value.actual = origin, None
    if torch._C._is_alias_of(made, x):
        if x.kin is None:
            x.kin = [weakref.ref(x)]
        x.kin.append(weakref.ref(value))
        value.kin = x.kin
    return value


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
            value.actual = None


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
        return _Place(Tensor.storage_offset(x), x.full, Tensor.stride(x))


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
    field, old = x.origin.field, y.origin.field
    within = (
        here.first <= there.first
        and there.last <= here.last
        and here.numel == here.last - here.first + 1
    )
    if field is None and (old is None or within):
        return Origin()
    if x.origin.atoms or y.origin.atoms or (field is not None and field.axes is None):
        return lost(x.origin, y.origin)
    dims = _found(x.origin if field is not None else y.origin, here, there, field is None)
    if dims is None:
        return lost(x.origin, y.origin)
    part = y.origin
    if field is not None:
        part = x.origin._replace(dims=dims)
        for axis, d in enumerate(dims):
            if d != NOWHERE and part.sizes[axis] != y.full[d]:
                if old is not None or within:
                    return lost(x.origin, y.origin)
                start = (here.first - there.first) // there.steps[d] % y.full[d]
                part = read(part, d, Taps(((-start, 1),)), y.full[d])
    if within or old is None:
        return part
    return joined([(y.origin, y.full), (part, y.full)], y.full)


def _found(origin: Origin, here: _Place, there: _Place, backwards: bool) -> tuple[int, ...] | None:
    """On which dimension of the other value each axis lies; None where they do not lie alike.

    `backwards`: the origin is that of the value at `there`, and its axes are looked for `here`.
    """
    a, b = (there, here) if backwards else (here, there)
    dims: list[int] = []
    for d in origin.dims:
        if d == NOWHERE:
            return None
        at = [e for e, (n, s) in enumerate(zip(b.sizes, b.steps, strict=True))
              if s == a.steps[d] and n > 1]  # fmt: skip
        if len(at) != 1 or (backwards and b.sizes[at[0]] != a.sizes[d]):
            return None
        n, shift = a.sizes[d], abs(a.first - b.first) // a.steps[d]
        if b.sizes[at[0]] == n and shift % n:
            return None
        dims.append(at[0])
    return tuple(dims)
