"""Hooks of the forward pass: those a plan leaves out, and those it runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import nn

__all__ = ["HOOKS", "after_call", "before_call", "hooks_of"]

HOOKS = ("_forward_pre_hooks", "_forward_hooks")


def hooks_of(parts: Sequence[tuple[str, nn.Module]]) -> tuple[str, ...]:
    """The hooks on these modules, each with the place where it hangs: `stage1.conv: log`."""
    names = list[str]()
    for path, part in parts:
        if part._forward_pre_hooks or part._forward_hooks:
            place = path or type(part).__name__
            hooks = (*part._forward_pre_hooks.values(), *part._forward_hooks.values())
            names += [f"{place}: {_name(hook)}" for hook in hooks]
    every = nn.modules.module
    for hooks in (every._global_forward_pre_hooks, every._global_forward_hooks):
        names += [f"every module: {_name(hook)}" for hook in hooks.values()]
    return tuple(names)


def _name(hook: Any) -> str:
    hook = hook.func if isinstance(hook, partial) else hook
    return getattr(hook, "__qualname__", None) or type(hook).__name__


def before_call(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a module as its hooks change them."""
    for key, hook in [*module._forward_pre_hooks.items()]:
        if key in module._forward_pre_hooks_with_kwargs:
            changed: Any = hook(module, args, kwargs)
            args, kwargs = (args, kwargs) if changed is None else changed
        else:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def after_call(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
) -> Any:
    """What a module returns as its hooks change it."""
    for key, hook in [*module._forward_hooks.items()]:
        more = (kwargs,) if key in module._forward_hooks_with_kwargs else ()
        changed = hook(module, args, *more, result)
        result = result if changed is None else changed
    return result
