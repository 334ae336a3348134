"""Checks of a spec's fields beyond their declared types: what was got, what was wanted.

Types, and the ranges of numbers called so, are held before (`core/kinds.py`): a count is a whole
number, or a symbol, by the time it comes here.
"""

from __future__ import annotations

from typing import Any, cast

from netwright.core.kinds import is_symbolic
from netwright.core.spec import Spec
from netwright.errors import SpecError

__all__ = ["is_choice", "is_count", "is_fraction", "is_number", "is_padding"]


def _fail(spec: Spec, name: str, wanted: str) -> SpecError:
    return SpecError(f"{type(spec).__name__}: {name} is {getattr(spec, name)!r}, wanted {wanted}")


def is_count(spec: Spec, *names: str, least: int = 1) -> None:
    """The fields, or the items of those that are tuples, are at least `least`."""
    for name in names:
        value = vars(spec)[name]
        sizes = cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,)
        if any(isinstance(size, int) and size < least for size in sizes):
            many = ", or one an axis" if isinstance(value, tuple) else ""
            raise _fail(spec, name, f"an integer of at least {least}{many}")


def is_number(spec: Spec, *names: str, above: float | None = None) -> None:
    """The fields are numbers, not symbols, and larger than `above`."""
    for name in names:
        value = vars(spec)[name]
        if is_symbolic(value) or (above is not None and value <= above):
            raise _fail(spec, name, "a number" + (f" above {above}" if above is not None else ""))


def is_fraction(spec: Spec, *names: str, one: bool = False) -> None:
    """The fields are numbers from 0 up to 1; 1 itself only with `one`."""
    for name in names:
        value = vars(spec)[name]
        if is_symbolic(value) or not (0 <= value < 1 or (one and value == 1)):
            raise _fail(spec, name, "a number from 0 up to 1" + ("" if one else ", 1 left out"))


def is_choice(spec: Spec, name: str, choices: tuple[Any, ...]) -> None:
    """The field is one of `choices`."""
    if vars(spec)[name] not in choices:
        raise _fail(spec, name, f"one of {', '.join(map(repr, choices))}")


def is_padding(spec: Spec, name: str = "padding", *, tight: bool = False) -> None:
    """The words that the field may be are `valid`, `same` and `full`, and `tight` where the unit
    asks its input for its size; of numbers an axis there is at least one.
    """
    value = vars(spec)[name]
    words = ("valid", "same", "full", "tight") if tight else ("valid", "same", "full")
    if value == () or (isinstance(value, str) and value not in words):
        raise _fail(spec, name, f"{', '.join(map(repr, words))}, an integer of at least 0, or one "
                                "or a (before, after) pair an axis")  # fmt: skip
