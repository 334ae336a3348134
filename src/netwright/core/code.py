"""Values of the user's own code: `package.module:name`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from os import sep
from pathlib import Path
from traceback import extract_tb
from typing import Any

from netwright.errors import NetwrightError, nearest

__all__ = ["imported", "is_code", "libraries", "message", "result_of"]


def is_code(text: str) -> bool:
    """Whether `text` reads `package.module:name`; `NetwrightError` where it names a file."""
    module, colon, name = text.partition(":")
    if module.endswith(".py"):
        dotted = ".".join(Path(module).with_suffix("").parts)
        raise NetwrightError(f"{text} is a file; name its code as {dotted}:{name or 'factory'}")
    words = [*module.split("."), *name.split(".")]
    return bool(colon) and all(word.isidentifier() for word in words)


def imported(text: str) -> Any:
    """What is under `package.module:name`, imported from the current folder too.

    Raises `NetwrightError` where nothing of that name is found.
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
        raise NetwrightError(f"cannot import {home}: {message(error)}") from error
    for name in path.split("."):
        if not hasattr(value, name):
            raise nearest(f"attribute of {home}", name, _public(value))
        value = getattr(value, name)
    return value


def result_of(
    text: str, factory: Any, call: Callable[[Any], Any] = lambda factory: factory()
) -> Any:
    """What the function or class under `text` makes without arguments; `call` calls it.

    Raises `NetwrightError` where it makes nothing.
    """
    try:
        signature(factory).bind()
    except TypeError as error:
        raise NetwrightError(f"{text} cannot be called without arguments: {error}") from None
    except ValueError:  # written in C, it has no signature
        pass
    try:
        return call(factory)
    except NetwrightError:
        raise
    except Exception as error:
        raise NetwrightError(f"{text} cannot be made: {message(error)}") from error


def message(error: Exception) -> str:
    """An error in the user's code, with its line there."""
    own = [f for f in extract_tb(error.__traceback__) if not f.filename.startswith(libraries())]
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    return f"{text} ({own[-1].filename}:{own[-1].lineno}: {own[-1].line})" if own else text


@cache
def libraries() -> tuple[str, ...]:
    """The folders of code that is nobody's own: ours and PyTorch's, which need not be loaded."""
    specs = [find_spec(name) for name in ("netwright", "torch")]
    return tuple([f"{Path(spec.origin).parent}{sep}" for spec in specs if spec and spec.origin])


def _public(value: Any) -> list[str]:
    return [name for name in dir(value) if not name.startswith("_")]
