"""What enters a foreign module: shapes, or tensors as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from netwright.core.field import Axis, Field
from netwright.errors import ShapeError, SpecError
from netwright.foreign.numbers import each
from netwright.foreign.traced import Origin, Traced, traced

__all__ = ["Inputs", "entered"]


class Inputs(NamedTuple):
    """Traced arguments of a forward pass; `images` is how many the given tensors hold where
    that is known, `batched` says whether the first dimension stands for any batch.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    images: int | None
    batched: bool


def entered(
    inputs: Any, kind: torch.dtype, *, batch_dim: Any = None, types: Any = None,
    values: bool = False, device: torch.device | None = None,
) -> Inputs:  # fmt: skip
    """The inputs of `nw.plan` as traced values.

    A shape becomes one image of that shape, of `types` (or `kind`), random where `values` are
    wanted. A tensor is taken as it is, or as the first image along `batch_dim`; those without
    dimensions are numbers that stay what they are. `batch_dim` and `types` are one for all
    inputs or one for each, in the same form as these.
    """
    if inputs is None:
        raise ShapeError("a module does not say its input; give a shape such as (3, 224, 224)")
    if isinstance(inputs, str | int):
        raise ShapeError(f"{inputs!r} is no input; give a shape such as (3, 224, 224)")
    counts = dict[int, None]()
    as_given = False

    def enter(value: Any, dim: int | None, type_: Any) -> Any:
        nonlocal as_given
        if _is_shape(value):
            return _of_shape((1, *value), _dtype(type_) or kind, values, device)

        def tensor(v: Tensor) -> Any:
            nonlocal as_given
            if not v.dim():
                return v
            as_given = as_given or dim != 0
            if dim is not None:
                counts[_images(v, dim)] = None
                v = v.narrow(dim, 0, 1)
            return _entering(tuple(v.shape), v.dtype, v.detach().clone() if values else None)

        return each(value, tensor)

    keys: Any = [*inputs] if isinstance(inputs, Mapping) else None
    single = isinstance(inputs, Tensor) or (keys is None and _is_shape(inputs))
    each_value = [inputs] if single else [*inputs.values()] if keys else [*inputs]
    dims = _spread("batch_dim", batch_dim, keys, len(each_value))
    kinds = _spread("input_dtype", types, keys, len(each_value))
    entered = [enter(*one) for one in zip(each_value, dims, kinds, strict=True)]
    if len(counts) > 1:
        raise ShapeError(f"the inputs hold {' and '.join(map(str, counts))} images along batch_dim")
    args, kwargs = ((), dict(zip(keys, entered, strict=True))) if keys else (tuple(entered), {})
    return Inputs(args, kwargs, next(iter(counts), None), not (as_given or values))


def _spread(name: str, value: Any, keys: list[str] | None, n: int) -> list[Any]:
    """One value for each of `n` inputs."""
    if isinstance(value, Mapping):
        return [value.get(key) for key in keys or range(n)]
    if not isinstance(value, tuple | list):
        return [value] * n
    if len(value) != n:
        raise ShapeError(f"{name} has {len(value)} values for {n} inputs")
    return [*value]


def _is_shape(value: Any) -> bool:
    whole = isinstance(value, tuple | list) and all(type(n) is int for n in value)
    if whole and any(n < 1 for n in value):
        raise ShapeError(f"an input of {tuple(value)} has a size that is no positive integer")
    return whole and len(value) > 0


def _dtype(value: Any) -> torch.dtype | None:
    if value is None or isinstance(value, torch.dtype):
        return value
    dtype = getattr(torch, str(value), None)
    if not isinstance(dtype, torch.dtype):
        raise SpecError(f"input dtype {value!r} is unknown; wanted one such as int64 or float32")
    return dtype


def _images(value: Tensor, dim: int) -> int:
    if not -value.dim() <= dim < value.dim():
        raise ShapeError(f"batch_dim is {dim}, and a tensor of {tuple(value.shape)} has none")
    return value.shape[dim]


def _of_shape(
    full: tuple[int, ...], kind: torch.dtype, values: bool, device: torch.device | None
) -> Traced:
    if not values:
        return _entering(full, kind, None)
    numbers = torch.zeros(full, dtype=kind)
    if kind.is_floating_point:
        numbers.copy_(torch.rand(full, generator=torch.Generator().manual_seed(0)))
    return _entering(full, kind, numbers.to(device) if device else numbers)


def _entering(full: tuple[int, ...], kind: torch.dtype, actual: Tensor | None) -> Traced:
    dims = tuple(range(2, len(full)))
    axes = tuple([Axis() for _ in dims]) or None
    return traced(full, kind, Origin(Field(axes, whole=axes is None), dims, full[2:]), actual)
