"""What trees have in common: trees themselves, with slots where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from netwright.export.constructor import Call
from netwright.export.tree import Join, Use, Wire

__all__ = ["HOLE", "Option", "Pick", "Run", "Slot", "bare", "slots"]


class _Hole:
    def __repr__(self) -> str:
        return "HOLE"


HOLE: Any = _Hole()
"""A value that is never looked at, since the part it belongs to is not there."""


@dataclass(eq=False)
class Slot:
    """A value an instance, and the expression that has it."""

    values: list[Any]
    hint: tuple[str, str]
    text: str = ""


@dataclass(eq=False)
class Pick:
    """Modules too different for one expression: they are handed in."""

    values: list[Any]
    hint: tuple[str, str]
    text: str = ""


@dataclass(eq=False)
class Option:
    """A part that some instances have."""

    node: Any
    present: Slot
    skips: bool = False
    """Whether it is a term x of a sum, not a module."""


@dataclass(eq=False)
class Run:
    """Numbered parts: the first, and `count` more that are alike."""

    first: Any
    rest: Any
    count: Slot = field(default_factory=lambda: Slot([], ("", "depth")))


def bare(node: Any) -> Any:
    """A pattern as a tree, as far as `is_module` looks."""
    if isinstance(node, Option) and node.skips:
        return Join("+", ())
    if isinstance(node, Wire):
        return replace(node, parts=tuple([(name, bare(part)) for name, part in node.parts]))
    if isinstance(node, Option):
        return bare(node.node)
    if isinstance(node, Run):
        return bare(node.first)
    if isinstance(node, Pick):
        return next(tree for tree in node.values if tree is not HOLE)
    return node


def slots(node: Any) -> Iterator[Any]:
    """Slots, picks and options, in order."""
    if isinstance(node, Wire):
        for _, part in node.parts:
            yield from slots(part)
    elif isinstance(node, Use):
        yield from slots(node.body)
    elif isinstance(node, Call):
        for value in node.args:
            yield from slots(value)
    elif isinstance(node, Run):
        yield from slots(node.first)
        yield from slots(node.rest)
        yield node.count
    elif isinstance(node, Option):
        yield from slots(node.node)
        yield node
    elif isinstance(node, Slot | Pick):
        yield node
