"""What a field may hold, and how it is written: its declared type, the range of numbers called so.

Every spec is held against it when it is made, whoever wrote the class, so that a `check` may
take for granted that a kernel is a number of some size. Without bounds a text of a line could
ask for more memory than there is.

In Python `1 == 1.0`, in JSON these are two texts, and a net's hash is made of its JSON: so that
equal specs are one text, a field declared `float` holds floats only, whatever it was given.
"""
# what comes in is of any type
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Sequence
from functools import cache
from inspect import Parameter, signature
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

__all__ = ["LARGEST", "LONGEST", "RANGES", "Kind", "argument_kinds", "is_symbolic", "kinds",
           "shown"]  # fmt: skip

LARGEST = 2**31 - 1
"""The largest number of a field, where its name says no other."""
LONGEST = 1000
"""Characters of a text in a field."""
ITEMS = 2**16
"""Items of a tuple, such as the channels that pruning keeps."""

_WINDOW, _REPEATED = 2**16, 1000
RANGES = {
    **dict.fromkeys(("kernel", "stride", "dilation", "size", "sizes", "blur", "windows"),
                    (1, _WINDOW)),
    "scale": (1, 1024),
    **dict.fromkeys(("padding", "extra", "radius"), (0, _WINDOW)),
    **dict.fromkeys(("width", "widths", "groups"), (1, LARGEST)),
    **dict.fromkeys(("depth", "ends", "mask", "order", "trunk"), (1, _REPEATED)),
    **dict.fromkeys(("nodes", "outputs"), (0, _REPEATED)),
    "levels": (1, 30),
}  # fmt: skip
"""Least and largest of the whole numbers in a field of that name: what slides, what repeats."""


class Kind(NamedTuple):
    """What a field may hold, in words and as a test; and how it is written, where that may be
    another way than it was given.
    """

    wanted: str
    holds: Callable[[Any], bool]
    written: Callable[[Any], Any] | None = None


@cache
def kinds(cls: type[Any], names: tuple[str, ...]) -> tuple[tuple[str, Kind], ...]:
    """The fields `names` of a class, each with what it may hold."""
    return tuple([(name, _kind(_declared(cls, name), name)) for name in names])


@cache
def argument_kinds(make: Callable[..., Any]) -> dict[str, Kind]:
    """The arguments that a function, or a class, takes by name, each with what it may hold."""
    try:
        taken = signature(make, eval_str=True).parameters.values()
    except NameError:  # what only a type checker can see
        taken = signature(make).parameters.values()
    many = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return {one.name: _kind(one.annotation, one.name) for one in taken if one.kind not in many}


def _declared(cls: type[Any], name: str) -> Any:
    """The type a field is declared with; `Any` for one that only a type checker can see."""
    home = next(base for base in cls.__mro__ if name in vars(base).get("__annotations__", {}))
    declared = home.__annotations__[name]
    if not isinstance(declared, str):
        return declared
    try:
        return eval(declared, vars(sys.modules[home.__module__]))  # noqa: S307 our own annotation
    except NameError:
        return Any


def _kind(hint: Any, name: str) -> Kind:
    """What a type and a name stand for."""
    if hint in (Any, Parameter.empty):
        return _ANY
    if hint in _PLAIN:
        return _PLAIN[hint]
    if hint is int:
        return _whole(*RANGES.get(name, (0, LARGEST)))
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:  # a type with words of its own
        number = _whole(*RANGES.get(name, (0, LARGEST)))
        return _kind(inner[0], name)._replace(wanted=inner[1].format(number.wanted))
    if origin in (Union, types.UnionType):
        return _union([_kind(one, name) for one in inner])
    if origin is Literal:
        return Kind(f"one of {', '.join(map(repr, inner))}", lambda value: value in inner)
    if origin in (tuple, Sequence):
        return _tuple(inner if origin is tuple else (*inner, ...), name)
    if isinstance(hint, type) and origin is None:
        return Kind(_WORDS.get(hint.__name__, f"a {hint.__name__}"),
                    lambda value: isinstance(value, hint))  # fmt: skip
    return _ANY


def _union(ways: list[Kind]) -> Kind:
    tests = [way.holds for way in ways]
    writers = [(way.holds, way.written) for way in ways if way.written]

    def written(value: Any) -> Any:
        return next((write(value) for holds, write in writers if holds(value)), value)

    words = " or ".join([way.wanted for way in ways])
    return Kind(words, lambda value: any(test(value) for test in tests),
                written if writers else None)  # fmt: skip


def _tuple(inner: tuple[Any, ...], name: str) -> Kind:
    """Items of one kind, or each of its own; of numbers at least one."""
    items = [_kind(one, name) for one in inner if one is not ...]
    same = items[0] if inner[-1] is ... else None
    fewest = 1 if inner[0] in (int, float) else 0

    def each(value: tuple[Any, ...]) -> list[Kind]:
        return [same] * len(value) if same else items

    def holds(value: Any) -> bool:
        if type(value) is not tuple or not fewest <= len(value) <= ITEMS:
            return False
        if len(each(value)) != len(value):
            return False
        return all(map(_holds, each(value), value))

    def written(value: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(map(_written, each(value), value))

    words = f"{same.wanted}, ..." if same else ", ".join([item.wanted for item in items])
    return Kind(f"({words})", holds, written if any(item.written for item in items) else None)


def _holds(kind: Kind, value: Any) -> bool:
    return kind.holds(value)


def _written(kind: Kind, value: Any) -> Any:
    return kind.written(value) if kind.written else value


def _whole(least: int, most: int) -> Kind:
    words = f"an integer of at least {least}" + (f" and at most {most:,}" if most < LARGEST else "")
    return Kind(words, lambda value: (type(value) is int and least <= value <= most)
                or is_symbolic(value))  # fmt: skip


def _number(value: Any) -> bool:
    # Infinity and not-a-number are floats too, and products with 1e308 are infinite.
    return (type(value) in (int, float) and abs(value) <= LARGEST) or is_symbolic(value)


def _as_float(value: Any) -> Any:
    """A number as a float, zero without a sign; a symbol as it is."""
    return value if is_symbolic(value) else float(value) + 0.0


def is_symbolic(value: object) -> bool:
    """Whether a size or number is a formula of symbols (sympy's, without importing it)."""
    return hasattr(value, "free_symbols")


_ANY = Kind("anything", lambda value: True)
"""Of a type that says nothing, or that only a type checker can see."""
_PLAIN: dict[Any, Kind] = {
    bool: Kind("True or False", lambda value: type(value) is bool),
    float: Kind(f"a number of at most {LARGEST:,}", _number, _as_float),
    str: Kind(
        "a text that can be printed",
        lambda value: isinstance(value, str) and len(value) <= LONGEST and value.isprintable(),
    ),
    None: Kind("None", lambda value: value is None),
    type(None): Kind("None", lambda value: value is None),
}
_WORDS = {"Spec": "a unit, block or wiring", "Unit": "a unit"}


def shown(value: Any, most: int = 200) -> str:
    """A value as messages show it, cut short.

    >>> shown("ab" * 500, 9)
    "'ababa..."
    """
    try:
        text = repr(value)
    except ValueError:  # a whole number of more digits than Python writes
        return f"a {type(value).__name__} of thousands of digits"
    return text if len(text) <= most else text[: most - 3] + "..."
