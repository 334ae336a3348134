"""What flows through a foreign module: a tensor on the meta device that knows where it is from."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from netwright.core.field import Field

__all__ = ["ACTIVE", "BATCH", "CHANNELS", "META", "NOWHERE", "Active", "Atom", "Mode", "Origin",
           "Traced", "traced"]  # fmt: skip

META = torch.device("meta")
NOWHERE = -1
"""The dimension of an axis of which one position is left."""
CHANNELS, BATCH = -1, -2
"""What an atom is that is no piece of an axis."""


class Atom(NamedTuple):
    """What lies on a dimension, or on a part of it: channels, or so many positions of an axis,
    every `step`-th.
    """

    size: int
    axis: int = CHANNELS
    step: int = 1


class Origin(NamedTuple):
    """Where a value is from.

    `field` is None for what no input reaches, such as weights; `dims` are the dimensions of the
    tensor that the axes of the field lie on, where several may share one (a map flattened to
    tokens); `sizes` the positions of each of these axes; `source` is the row that made the
    value, -1 for an input; `owners` are the weights in a value that no input reaches. `atoms`
    are what lies on each dimension, where that is more than an axis or none.
    """

    field: Field | None = None
    dims: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()
    source: int = -1
    owners: tuple[Tensor, ...] = ()
    atoms: tuple[tuple[Atom, ...], ...] = ()


class Active(threading.local):
    """The tracer at work in this thread, if any."""

    tracer: Any = None


ACTIVE = Active()


class Mode(TorchFunctionMode):
    """Hands every function of tensors to `answer`, those that make some included."""

    def __init__(self, answer: Callable[[Any, Any, Any], Any]) -> None:
        super().__init__()
        self._answer = answer

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return self._answer(func, args, kwargs or {})


class Traced(Tensor):
    """A tensor without values. What is called with it is answered by the tracer's rules, and
    where there is none by PyTorch's own kernels for shapes. `actual` is the real tensor where
    its numbers are known, or says how they are computed.
    """

    full: tuple[int, ...]
    origin: Origin
    kind: torch.dtype
    actual: Any
    kin: list[Any] | None = None
    """Weak references to all values that share its memory; None where it is alone."""

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        tracer = ACTIVE.tracer
        if tracer is None:
            return super().__torch_function__(func, types, args, kwargs or {})
        return tracer.answer(func, args, kwargs or {})

    # The questions that forward passes ask most; the rest take the long way round.
    @property
    def shape(self) -> torch.Size:  # type: ignore[override]
        return torch.Size(self.full)

    @property
    def dtype(self) -> torch.dtype:  # type: ignore[override]
        return self.kind

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        tracer = ACTIVE.tracer
        return META if tracer is None else tracer.device

    @property
    def ndim(self) -> int:  # type: ignore[override]
        return len(self.full)

    def dim(self) -> int:
        return len(self.full)

    def size(self, dim: int | None = None) -> Any:  # type: ignore[override]
        return torch.Size(self.full) if dim is None else self.full[dim]

    def numel(self) -> int:
        n = 1
        for size in self.full:
            n *= size
        return n

    def __len__(self) -> int:
        return self.full[0]


_empty = torch.empty


def traced(full: tuple[int, ...], dtype: torch.dtype, origin: Origin, actual: Any = None) -> Traced:
    """A value of that shape, batch included."""
    result: Any = _empty(full, dtype=dtype, device=META).as_subclass(Traced)
    result.full = full
    result.kind = dtype
    result.origin = origin
    result.actual = actual
    return result
