"""Nets from the user's own code: `package.module:factory`."""

from __future__ import annotations

import sys
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netwright.errors import NetwrightError, nearest

if TYPE_CHECKING:
    from torch import nn

    from netwright.core.net import Net

__all__ = ["is_code", "load_module"]


def is_code(text: str) -> bool:
    """Whether `text` reads `package.module:name`; `NetwrightError` where it names a file."""
    module, colon, name = text.partition(":")
    if module.endswith(".py"):
        dotted = ".".join(Path(module).with_suffix("").parts)
        raise NetwrightError(f"{text} is a file; name its code as {dotted}:{name or 'factory'}")
    words = [*module.split("."), *name.split(".")]
    return bool(colon) and all(word.isidentifier() for word in words)


def load_module(text: str, numbers: bool = False) -> nn.Module | Net:
    """The `nn.Module` or Net under `package.module:name`, which is imported from here; a
    function or class there is called without arguments.

    Modules are made on PyTorch's meta device, without memory, where they can be and no
    `numbers` are wanted.
    Raises `NetwrightError` where nothing of that name or kind is found.
    """
    home, _, path = text.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        value: Any = import_module(home)
    except (ImportError, SyntaxError) as error:
        raise NetwrightError(f"cannot import {home}: {error}") from error
    except Exception as error:
        raise NetwrightError(f"cannot import {home}: {_message(error)}") from error
    for name in path.split("."):
        if not hasattr(value, name):
            raise nearest(f"attribute of {home}", name, _public(value))
        value = getattr(value, name)
    return _module(text, value, numbers)


def _public(value: Any) -> list[str]:
    return [name for name in dir(value) if not name.startswith("_")]


def _message(error: Exception) -> str:
    from netwright.foreign.lines import message

    return message(error)


def _module(text: str, value: Any, numbers: bool) -> nn.Module | Net:
    import torch

    from netwright.core.net import Net

    if callable(value) and not isinstance(value, torch.nn.Module):
        try:
            value = _called(text, value, numbers)
        except NetwrightError:
            raise
        except Exception as error:
            raise NetwrightError(f"{text} cannot be made: {_message(error)}") from error
    if not isinstance(value, torch.nn.Module | Net):
        raise NetwrightError(
            f"{text} gives a {type(value).__name__}, wanted a torch.nn.Module or a netwright.Net"
        )
    return value


def _called(text: str, factory: Any, numbers: bool) -> Any:
    import torch

    try:
        signature(factory).bind()
    except TypeError as error:
        raise NetwrightError(f"{text} cannot be called without arguments: {error}") from None
    except ValueError:  # written in C, it has no signature
        pass
    if numbers:
        return factory()
    try:
        with torch.device("meta"):
            return factory()
    except Exception:  # noqa: BLE001  where it fails with numbers too, that is what is told
        return factory()
