"""What users say an operation costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from netwright.core.cost import Cost
from netwright.core.plan import Stored
from netwright.foreign.state import own_tensors
from netwright.foreign.traced import Traced

__all__ = ["FORMULAS", "as_cost", "by_formula", "count", "key"]

FORMULAS: dict[Any, Callable[..., Any]] = {}
"""The work of a function, an operator or a module class."""


def count(operation: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers what an operation costs: a function, a `torch.ops` operator or a module class.

    The formula is called as the operation is (of a module: the module, then its inputs) with
    tensors that have shapes and no numbers, and returns MACs, or a `Cost`.

    >>> import torch
    >>> _ = count(torch.cdist)(lambda a, b: a.shape[-2] * b.shape[-2] * a.shape[-1])
    """

    def register(formula: Callable[..., Any]) -> Callable[..., Any]:
        FORMULAS[key(operation)] = formula
        return formula

    return register


def key(operation: Any) -> Any:
    """What stands for an operation: of an operator of any kind its `torch.ops` packet."""
    overload = getattr(operation, "_opoverload", operation)  # of torch.library.custom_op
    return getattr(overload, "overloadpacket", overload)


def as_cost(result: Any) -> Cost:
    """A formula's result: a `Cost`, or MACs alone."""
    return result if isinstance(result, Cost) else Cost(macs=int(result))


def by_formula(t: Any, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a module with a formula returns; one row stands for all that happens in it."""
    cost = as_cost(FORMULAS[type(module)](module, *args, **kwargs))
    first, partial = len(t.rows), dict(t.partial)
    result = module.forward(*args, **kwargs)
    inside = t.rows[first:]
    del t.rows[first:]
    t.partial = partial
    outs = [v for v in tree_leaves(result) if type(v) is Traced]
    xs = [v for v in tree_leaves((args, kwargs)) if type(v) is Traced]
    weights = [w for part in module.modules() for w in own_tensors(part)]
    with torch._C.DisableTorchFunction():
        whole = t.operation(type(module).__name__, xs, outs[0].full, macs=cost.macs, ops=cost.ops,
                            origin=outs[0].origin, weights=weights)  # fmt: skip
    row = whole.origin.source
    for part in inside:
        stored = part.stored or Stored()
        t.rows[row] = t.rows[row].holding(part.params, part.buffers, stored)
    for value in outs:
        value.origin = value.origin._replace(source=row)
    return result
