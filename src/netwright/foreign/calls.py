"""Calls of modules: by a rule, or by following their forward pass."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from netwright.core.code import message
from netwright.errors import NetwrightError, TraceError
from netwright.foreign.formulas import FORMULAS, by_formula
from netwright.foreign.hooks import after_call, before_call
from netwright.foreign.numbers import each, settled
from netwright.foreign.trace import MODULES

if TYPE_CHECKING:
    from netwright.foreign.trace import Tracer

__all__ = ["call"]

_LAYERS = ("torch.nn.", "netwright.layers.")
"""Where layers live whose rows are called as the layer is, not by the functions it calls."""


def call(t: Tracer, module: nn.Module, *args: Any, **kwargs: Any) -> Any:
    """What a module returns: by its rule, or by following its forward pass, and the hooks that
    were registered since the trace began.
    """
    if t.quiet:
        return module.forward(*args, **kwargs)
    before = t.path, t.named
    t.path = t.paths.get(id(module), t.path)
    t.named = bool(module._modules) or not type(module).__module__.startswith(_LAYERS)
    try:
        if module._forward_pre_hooks:
            args, kwargs = before_call(module, args, kwargs)
        result = _result(t, module, args, kwargs)
        if module._forward_hooks:
            result = after_call(module, args, kwargs, result)
    except NetwrightError as error:
        raise t.fault(error) from error.__cause__
    except RecursionError:
        raise
    except Exception as error:
        raise t.fault(TraceError(message(error))) from error
    finally:
        t.path, t.named = before
    return result


def _result(t: Tracer, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if type(module) in FORMULAS:
        return by_formula(t, module, args, kwargs)
    rule = MODULES.get(type(module))
    if rule is not None:
        named, t.named = t.named, False
        with torch._C.DisableTorchFunction():
            result = rule(t, module, *args, **kwargs)
        if result is not NotImplemented:
            return _computed(t, result, module, args, kwargs) if t.values else result
        t.named = named
    if "_orig_mod" in module._modules:
        compiled: Any = module._modules["_orig_mod"]
        return call(t, compiled, *args, **kwargs)
    if isinstance(module, torch.jit.ScriptModule):
        result = _twin(module).forward(*args, **kwargs)  # what it writes to is out of reach
        t.settle(module)
        return result
    first = len(t.rows)
    result = module.forward(*args, **kwargs)
    if len(t.rows) > first:
        t.settle(module)
    return result


def _computed(t: Tracer, planned: Any, module: nn.Module, args: Any, kwargs: Any) -> Any:
    """What a layer's rule says, with the numbers that its forward pass computes."""
    args, kwargs = each(args, t.real), each(kwargs, t.real)
    t.quiet = True
    try:
        result = module.forward(*args, **kwargs)
    finally:
        t.quiet = False
    with torch._C.DisableTorchFunction():
        return settled(planned, result, [])


def _twin(module: Any) -> Any:
    """A copy of a scripted or traced module, in evaluation."""
    with torch._C.DisableTorchFunction():
        return copy.deepcopy(vars(module).get("_actual_script_module", module)).eval()
