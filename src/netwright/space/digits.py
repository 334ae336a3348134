"""The choices of a space, and codes, which write them as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

__all__ = ["ALPHABET", "Digit", "Digits", "read", "spans", "write"]

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
Digits = tuple[int, ...]
"""One choice a digit: the index of its option."""


class Digit(NamedTuple):
    """One choice of a space: its name and its options, `ordered` where near ones are alike."""

    name: str
    options: tuple[Any, ...]
    ordered: bool = False


def spans(digits: Sequence[Digit]) -> tuple[tuple[int, int], ...]:
    """Where each digit stands in a code: (start, stop)."""
    pairs, start = list[tuple[int, int]](), 0
    for digit in digits:
        stop = start + (1 if len(digit.options) <= len(ALPHABET) else 2)
        pairs.append((start, stop))
        start = stop
    return tuple(pairs)


def write(choices: Sequence[int], places: Sequence[tuple[int, int]]) -> str:
    """Choices as a code whose digits stand at these places.

    >>> write([3, 40, 10], [(0, 1), (1, 3), (3, 4)])
    '314a'
    """
    text = list[str]()
    for choice, (start, stop) in zip(choices, places, strict=True):
        if stop - start > 1:
            text.append(ALPHABET[choice // len(ALPHABET)])
        text.append(ALPHABET[choice % len(ALPHABET)])
    return "".join(text)


def read(code: str, places: Sequence[tuple[int, int]]) -> Digits:
    """The inverse of `write`; -1 for what is no number."""
    return tuple([_number(code[start:stop]) for start, stop in places])


def _number(text: str) -> int:
    """A number of one or two letters of the alphabet; -1 for another text."""
    number = 0
    for letter in text:
        place = ALPHABET.find(letter)
        if place < 0:
            return -1
        number = number * len(ALPHABET) + place
    return number
