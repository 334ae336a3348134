"""Checks of a spec's fields: what was got, what was wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from netwright.core.spec import Spec
from netwright.errors import SpecError

__all__ = ["is_choice", "is_count", "is_flag", "is_fraction", "is_number", "is_padding", "is_spec"]


def _fail(spec: Spec, name: str, wanted: str) -> SpecError:
    return SpecError(f"{type(spec).__name__}: {name} is {getattr(spec, name)!r}, wanted {wanted}")


def _symbolic(value: Any) -> bool:
    return hasattr(value, "free_symbols")


def _whole(value: Any, least: int) -> bool:
    return (type(value) is int and value >= least) or _symbolic(value)


def _all(value: Any, good: Callable[[Any], bool]) -> bool:
    """Whether `value` is a tuple of at least one item, all of them good."""
    return isinstance(value, tuple) and value != () and all(map(good, cast("tuple[Any]", value)))


def is_count(spec: Spec, *names: str, least: int = 1, axes: bool = False) -> None:
    """The fields are integers of at least `least`; with `axes` tuples of them will do."""
    own = vars(spec)
    for name in names:
        value = own[name]
        if type(value) is int and value >= least:
            continue
        if axes and _all(value, lambda size: _whole(size, least)):
            continue
        if not _whole(value, least):
            many = ", or one an axis" if axes else ""
            raise _fail(spec, name, f"an integer of at least {least}{many}")


def is_flag(spec: Spec, *names: str) -> None:
    """The fields are True or False."""
    for name in names:
        if type(vars(spec)[name]) is not bool:
            raise _fail(spec, name, "True or False")


def is_number(spec: Spec, *names: str, above: float | None = None) -> None:
    """The fields are finite numbers, larger than `above`."""
    for name in names:
        value = vars(spec)[name]
        bound = f" above {above}" if above is not None else ""
        good = type(value) in (int, float) and abs(value) < float("inf")
        if not good or (above is not None and value <= above):
            raise _fail(spec, name, f"a number{bound}")


def is_fraction(spec: Spec, *names: str, one: bool = False) -> None:
    """The fields are numbers from 0 up to 1; 1 itself only with `one`."""
    for name in names:
        value = vars(spec)[name]
        good = type(value) in (int, float) and (0 <= value < 1 or (one and value == 1))
        if not good:
            raise _fail(spec, name, "a number from 0 up to 1" + ("" if one else ", 1 left out"))


def is_choice(spec: Spec, name: str, choices: tuple[Any, ...]) -> None:
    """The field is one of `choices`."""
    if vars(spec)[name] not in choices:
        raise _fail(spec, name, f"one of {', '.join(map(repr, choices))}")


def is_padding(spec: Spec, name: str = "padding", *, tight: bool = False) -> None:
    """The field is `valid`, `same`, `full`, a number, or a number or pair an axis; or, where
    the unit asks its input for its size, `tight`.
    """
    value = vars(spec)[name]
    words = ("valid", "same", "full", "tight") if tight else ("valid", "same", "full")
    if value in words or _whole(value, 0):
        return
    if _all(value, lambda pad: _whole(pad, 0) or (_all(pad, _pad) and len(pad) == 2)):
        return
    raise _fail(spec, name, f"{', '.join(map(repr, words))}, an integer of at least 0, or one or "
                            "a (before, after) pair an axis")  # fmt: skip


def _pad(value: Any) -> bool:
    return _whole(value, 0)


def is_spec(spec: Spec, *names: str, optional: bool = False) -> None:
    """The fields are specs; with `optional` None will do."""
    for name in names:
        value = vars(spec)[name]
        if not isinstance(value, Spec) and not (optional and value is None):
            raise _fail(spec, name, "a unit, block or wiring" + (", or None" if optional else ""))
