"""What a study is of: what all its sessions, here and on other machines, have in common."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from dis import get_instructions
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from netwright.space.search_space import Space

__all__ = ["SPLIT", "difference", "identity"]

SPLIT = "split seed"
"""What evaluators that split images by a seed call it."""
PLAIN = (int, float, complex, str, bytes, Path, type(None), type(...))
"""Whose `repr` is the same in every process."""


def identity(space: Space, evaluator: object) -> dict[str, str]:
    """The space, its budget, and what the evaluator says of itself by its method `identity`: a
    text about its data, or several by name. One without that method is known by its name, and a
    function within another, or without a name, by what it does as well.
    """
    code = space.within("").example()
    choices = repr((space.digits, space.net(code).hash))
    digest = sha256(choices.encode()).hexdigest()[:12]
    own: Any = getattr(evaluator, "identity", None)
    words = own() if callable(own) else _evaluator_name(evaluator)
    return {"space": f"{space.name} ({digest})", "budget": str(space.budget) or "none",
            **(words if isinstance(words, dict) else {"data": str(words)})}  # fmt: skip


def difference(begun: Mapping[str, str], got: Mapping[str, str]) -> str:
    """The first thing in which two differ, with what it is in both; empty where they are alike.

    >>> difference({"space": "mobile", "epochs": "10"}, {"space": "mobile", "epochs": "3"})
    'epochs 10, got 3'
    """
    for word in {**begun, **got}:
        before, now = begun.get(word, "unknown"), got.get(word, "unknown")
        if word == "space" and before != now and _name(before) == _name(now):
            return f"other options of the space {_name(now)}, such as its width or its classes"
        if before != now:
            return f"{word} {_short(before)}, got {_short(now)}"
    return ""


def _evaluator_name(evaluator: Any) -> str:
    """The module and the name of a function or of an object's class, the same whenever a script
    runs again; with a digest of its code where the name may be that of several.

    >>> _evaluator_name(len), _evaluator_name(partial(round, ndigits=2))
    ('builtins.len', 'builtins.round (ndigits=2)')
    """
    if isinstance(evaluator, partial):
        words = [_value(value) for value in evaluator.args]
        words += [f"{word}={_value(value)}" for word, value in evaluator.keywords.items()]
        return f"{_evaluator_name(evaluator.func)} ({', '.join(words)})"
    named = evaluator if hasattr(evaluator, "__qualname__") else type(evaluator)
    name = ".".join(filter(None, [_module(named.__module__), named.__qualname__]))
    code = getattr(named, "__code__", None)
    if "<" not in named.__qualname__ or code is None:  # neither a lambda nor a local function
        return name
    does = repr((_value(code), _closed_over(named, code), _value(named.__defaults__)))
    return f"{name} ({sha256(does.encode()).hexdigest()[:12]})"


def _module(name: str | None) -> str | None:
    """The name of a module, of a script that of its file."""
    file = getattr(sys.modules.get(name or ""), "__file__", None)
    return Path(file).stem if name == "__main__" and file else name


def _closed_over(function: Any, code: CodeType) -> list[str]:
    """The values of other functions that a function reads, those that it changes left out."""
    changed = {step.argval for step in get_instructions(code) if step.opname == "STORE_DEREF"}
    texts = list[str]()
    for word, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # of a cell that nothing is in yet
            texts.append("" if word in changed else _value(cell.cell_contents))
    return texts


def _value(value: Any) -> str:
    """A text of a value that is the same in every process; its kind where there is none, as of
    what may change while a search runs.
    """
    if isinstance(value, CodeType):
        return repr((value.co_code, value.co_names, _value(value.co_consts)))
    if isinstance(value, tuple):
        return repr([_value(one) for one in value])
    if isinstance(value, frozenset):
        return repr(sorted([_value(one) for one in value]))
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, FunctionType):
        return _value((value.__qualname__, value.__code__))
    return type(value).__qualname__


def _name(space: str) -> str:
    return space.rpartition(" (")[0]


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:40]}...{text[-37:]}"
