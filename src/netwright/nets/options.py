"""Checks of what the functions of nets are given."""

from __future__ import annotations

from typing import Any, cast

from netwright.errors import SpecError

__all__ = ["need_counts", "need_factors"]

LARGEST = 1e9
"""Of a factor: beyond it no net is meant."""


def need_counts(**options: Any) -> None:
    """Raise `SpecError` unless every option is an integer of at least 1, or a tuple of them.

    >>> need_counts(depths=(3, 0))
    Traceback (most recent call last):
    netwright.errors.SpecError: depths is (3, 0), wanted integers of at least 1
    """
    for name, value in options.items():
        many = isinstance(value, tuple | list)
        counts = cast("tuple[Any, ...]", value if many else (value,))
        if not counts or not all(type(count) is int and count >= 1 for count in counts):
            wanted = "integers" if many else "an integer"
            raise SpecError(f"{name} is {value!r}, wanted {wanted} of at least 1")


def need_factors(**options: Any) -> None:
    """Raise `SpecError` unless every option is a number above 0 and at most 10^9."""
    for name, value in options.items():
        if type(value) not in (int, float) or not 0 < value <= LARGEST:
            limit = f" and at most {LARGEST:g}" if type(value) in (int, float) and value > 0 else ""
            raise SpecError(f"{name} is {value!r}, wanted a number above 0{limit}")
