"""Parts in a row that may be settled in several ways: of equal rows the least code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TypeAlias

from netwright.space.digits import Digits

__all__ = ["Entry", "Row", "Steps"]

Steps: TypeAlias = tuple[int, ...]
"""What a part computes, each step by a number."""


class Entry:
    """A part of a row.

    places: of its choices in the code
    forms: what it computes, by its choices
    """

    def __init__(self, places: Digits, forms: dict[Digits, Steps]) -> None:
        self.places, self.forms = places, forms
        self.least: dict[Steps, Digits] = {}
        for digits in sorted(forms):
            self.least.setdefault(forms[digits], digits)
        self.varies = len({len(steps) for steps in self.least}) > 1


class Row:
    """Parts one behind the other.

    >>> either = {(0,): (7,), (1,): ()}  # a step, or none
    >>> row, choices = Row([Entry((0,), either), Entry((1,), either)]), [1, 0]
    >>> row.reduce(choices)
    >>> choices
    [0, 1]
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> Iterator[Row]:
        """The rows of these parts in which choices may be exchanged: all from the first part of
        several lengths to the last; and each other part of which several ways are one.
        """
        free = [i for i, entry in enumerate(entries) if entry.varies]
        among = range(free[0], free[-1] + 1) if len(free) > 1 else range(0)
        if among:
            yield cls(entries[among.start : among.stop])
        for i, entry in enumerate(entries):
            if i not in among and len(entry.least) < len(entry.forms):
                yield cls([entry])

    def reduce(self, choices: list[int]) -> None:
        """Puts the least choices in that make the same row."""
        steps = list[Steps]()
        for entry in self.entries:
            own = entry.forms.get(tuple([choices[place] for place in entry.places]))
            if own is None:  # it cannot be made
                return
            steps.append(own)
        for entry, own in zip(self.entries, self._least(steps), strict=True):
            for place, option in zip(entry.places, entry.least[own], strict=True):
                choices[place] = option

    def _least(self, steps: list[Steps]) -> list[Steps]:
        """How the steps of a row are dealt out to its parts by the least choices."""
        if len(steps) == 1:
            return steps
        row = tuple(chain(*steps))
        ends = self._ends(row)
        at, dealt = 0, list[Steps]()
        for entry, fine in zip(self.entries, ends, strict=True):
            own = next(own for own in entry.least
                       if at + len(own) in fine and row[at : at + len(own)] == own)  # fmt: skip
            at += len(own)
            dealt.append(own)
        return dealt

    def _ends(self, row: Steps) -> list[set[int]]:
        """Where every part may end, so that those behind it make the rest."""
        ends = [{len(row)}]
        for entry in reversed(self.entries[1:]):
            begins = {end - len(own) for end in ends[-1] for own in entry.least
                      if end >= len(own) and row[end - len(own) : end] == own}  # fmt: skip
            ends.append(begins)
        return ends[::-1]
