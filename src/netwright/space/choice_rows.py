"""The rows of an open spec: parts one behind the other, whose choices may be exchanged."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from netwright.core.choice import Choice, items, outer, settled
from netwright.core.graph import Node
from netwright.core.spec import Spec, is_open
from netwright.core.wiring import Sequential, Wiring
from netwright.errors import SpecError
from netwright.space.digits import Digits
from netwright.space.rows import Entry, Row, Steps
from netwright.space.sameness import form
from netwright.space.settling import count, every_choice, ways

__all__ = ["Rows"]

WAYS = 256
"""In how many ways a part may be settled for each of them to be looked at."""


class Rows:
    """Makes the rows of a spec: parts one behind the other, each with what it may compute.

    index: name of a choice -> its place in the code
    """

    def __init__(self, index: dict[str, int]) -> None:
        self.index = index
        self._steps: dict[Any, int] = {}

    def of(self, spec: Spec) -> Iterator[Row]:
        """Those of a whole net, as one where it can be settled in few ways."""
        whole = self._entry(spec, "", named=True)
        if whole is None:
            yield from self._inside(spec, "")
        else:
            yield Row([whole])

    def _inside(self, value: Any, where: str) -> Iterator[Row]:
        """Those of what a spec or a tuple holds."""
        if not is_open(value) or isinstance(value, Choice):
            return
        parts = list(items(value, where))
        if isinstance(value, Sequential):
            yield from self._row([*_chained(value, where)])
        elif isinstance(value, Wiring):
            fields = len(parts) - len(value)
            for path, part in parts[fields:]:
                yield from self._row([_plain(part, path)])
            parts = parts[:fields]
        else:
            for path, part in parts:
                yield from self._inside(part, path)

    def _row(self, parts: list[tuple[str, Any]]) -> Iterator[Row]:
        """Those of parts in a row, cut where one can be settled in too many ways."""
        entries = list[Entry]()
        for path, part in parts:
            entry = self._entry(part, path)
            if entry is None:
                yield from Row.of(entries)
                yield from self._inside(part, path)
                entries = []
            else:
                entries.append(entry)
        yield from Row.of(entries)

    def _entry(self, part: Any, where: str, *, named: bool = False) -> Entry | None:
        """A part with what it may compute; None where that is too much, or where a choice in it
        has a name, so that it may be another's too, unless they may be `named`.
        """
        choices = [*every_choice(part, where)]
        ways = math.prod(map(count, dict(outer(part, where)).values()))
        if ways > WAYS or (any(choice.name for _, choice in choices) and not named):
            return None
        places = tuple(sorted({self.index[name] for name, _ in choices}))
        return Entry(places, dict(self._forms(part, where, places)))

    def _forms(self, part: Any, where: str, places: Digits) -> Iterator[tuple[Digits, Steps]]:
        """(choices, what they compute) of all ways to settle a part that can be."""
        for taken in ways(part, where):
            try:
                spec = settled(part, lambda name, _, taken=taken: taken[name], where)
            except SpecError:
                continue
            if isinstance(spec, Spec):
                digits = {self.index[name]: option for name, option in taken.items()}
                key = tuple([digits.get(place, 0) for place in places])
                yield key, tuple([self._number(step) for step in form(spec)])

    def _number(self, step: Any) -> int:
        """A step as a number, the same for equal ones."""
        return self._steps.setdefault(step, len(self._steps))


def _chained(chain: Sequential, where: str) -> Iterator[tuple[str, Any]]:
    """(path, part) of a chain, and of open chains in it."""
    parts = list(items(chain, where))
    for path, part in parts[len(parts) - len(chain) :]:
        if isinstance(part, Sequential) and part.is_open:
            yield from _chained(part, path)
        else:
            yield path, part


def _plain(part: Any, where: str) -> tuple[str, Any]:
    """What a node of a graph holds, else the part."""
    return next(items(part, where)) if isinstance(part, Node) else (where, part)
