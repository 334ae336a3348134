"""One way to write every number of a spec, so that equal specs are the same text everywhere.

In Python `1 == 1.0 == True`, in JSON these are three texts, and a net's hash is made of its
JSON. Which of them a field holds is said by its annotation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

__all__ = ["Numbers", "numbers"]

_WHOLE = {"int", "Axes", "Padding"}
_MOST = 2**1023
"""What fits a float; larger integers are refused, infinity stays for the spec's own check."""


class Numbers(NamedTuple):
    """Which numbers a field holds; `usual` is a type whose values need no second look."""

    flag: bool
    whole: bool
    real: bool
    usual: type | None = None

    @property
    def wanted(self) -> str:
        """These numbers in words."""
        if self.real:
            return "a number"
        return "an integer" if self.whole else "True or False"

    def written(self, value: Any) -> Any:
        """The value as this field writes it: integers as floats where it holds floats, zero
        without a sign.
        """
        if isinstance(value, tuple):
            return tuple([self.written(item) for item in cast("tuple[Any, ...]", value)])
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if self.real and number and abs(value) < _MOST:
            return float(value) + 0.0
        return value

    def hold(self, value: Any) -> bool:
        """Whether all numbers in the value are of this field's kind. What is no number of
        Python's own (a text, a symbol) is left to the spec's own check.
        """
        if isinstance(value, tuple):
            return all(self.hold(item) for item in cast("tuple[Any, ...]", value))
        if isinstance(value, bool):
            return self.flag
        if isinstance(value, int):
            return self.whole and type(value) is int
        if isinstance(value, float):
            return self.real
        return True


def numbers(fields: Iterable[tuple[str, Any]]) -> dict[str, Numbers]:
    """The fields that hold numbers, by name; of (name, annotation).

    >>> numbers([("slope", "float"), ("act", "Spec | None")])["slope"].real
    True
    """
    kinds = {name: _kind(annotation) for name, annotation in fields}
    return {name: kind for name, kind in kinds.items() if kind.flag or kind.whole or kind.real}


def _kind(annotation: Any) -> Numbers:
    text = annotation if isinstance(annotation, str) else repr(annotation)
    words = {*re.findall(r"\w+", text)}
    flag, whole, real = "bool" in words, bool(words & _WHOLE), "float" in words
    # A float's zero may have a sign, so floats are always looked at.
    return Numbers(flag, whole, real, bool if flag else int if whole and not real else None)
