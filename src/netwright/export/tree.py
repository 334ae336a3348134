"""What a net's source is written from: calls, wiring and blocks; and patterns of several such
trees, with slots where they differ.
"""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from netwright.core.shape import Shape
from netwright.core.spec import Block
from netwright.core.wiring import Sequential, Wiring

__all__ = [
    "HOLE",
    "REQUIRED",
    "Call",
    "Composite",
    "Form",
    "Item",
    "Node",
    "Operator",
    "Option",
    "Pick",
    "Repeat",
    "Slot",
    "Use",
    "is_attribute",
    "is_counted",
    "numbered",
    "outputs_of",
    "slots",
    "walk",
]

REQUIRED = inspect.Parameter.empty
"""The default of a parameter that has none."""
DIGITS = 9
"""The longest number that is a name of a part in a list."""


class Node:
    """A part of a tree or pattern."""

    @property
    def inner(self) -> tuple[Node, ...]:
        """What it is made of."""
        return ()

    @property
    def is_module(self) -> bool:
        """Whether it is written as a module, rather than in the forward of another."""
        return False

    @property
    def is_free(self) -> bool:
        """Whether it passes on what it gets."""
        return False

    @property
    def is_term(self) -> bool:
        """Whether it is an operator, or x: no module, and none in it."""
        return False

    @property
    def is_stored(self) -> bool:
        """Whether it is a module, or has some, that its owner keeps."""
        return not (self.is_term or self.is_free)


@dataclass(frozen=True)
class Form:
    """A constructor: the name it is called by, its parameters with their defaults, the class if
    it is not one that is written, and which parameters are written with their name though required.
    """

    name: str
    params: tuple[tuple[str, Any], ...]
    origin: type | None = None
    keywords: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Call(Node):
    """A constructor, and a value for each of its parameters; `is_free` where it is nn.Identity."""

    form: Form
    args: tuple[Any, ...]
    outputs: int = 1

    @property
    def inner(self) -> tuple[Node, ...]:
        return tuple([value for value in self.args if isinstance(value, Node)])

    @property
    def is_module(self) -> bool:
        return True

    @property
    def is_free(self) -> bool:
        return self.form.name == "nn.Identity"


@dataclass(frozen=True)
class Operator(Node):
    """An operator between values; `stretch` is, a value, how many axes it lacks (of `cat`:
    whether it is one position that becomes a map).
    """

    kind: str
    stretch: tuple[int, ...]

    @property
    def is_term(self) -> bool:
        return True


@dataclass(frozen=True, eq=False)
class Composite(Node):
    """Wiring over trees, for so many values in and out; `frozen` where it does not learn,
    `tap` where only training runs it.
    """

    wiring: Wiring
    parts: tuple[tuple[str, Any], ...]
    inputs: int
    outputs: int
    frozen: bool = False
    tap: bool = False

    @property
    def inner(self) -> tuple[Node, ...]:
        return tuple([part for _, part in self.parts])

    @property
    def is_module(self) -> bool:
        single = self.inputs == self.outputs == 1 and isinstance(self.wiring, Sequential)
        return single and all(part.is_module for part in self.inner)

    @property
    def is_free(self) -> bool:
        return isinstance(self.wiring, Sequential) and all(part.is_free for part in self.inner)

    @property
    def is_stored(self) -> bool:
        return not self.is_free if self.is_module else any(part.is_stored for part in self.inner)


@dataclass(frozen=True, eq=False)
class Use(Node):
    """A module that every use of the same key shares."""

    key: str
    body: Any

    @property
    def inner(self) -> tuple[Node, ...]:
        return (self.body,)

    @property
    def is_module(self) -> bool:
        return self.body.is_module


@dataclass(frozen=True, eq=False)
class Item(Node):
    """A block at an input: one instance of a class to be written."""

    block: Block
    xs: tuple[Shape, ...]
    body: Any
    outputs: int
    channels: int

    @property
    def inner(self) -> tuple[Node, ...]:
        return (self.body,)

    @property
    def is_module(self) -> bool:
        return True


class _Hole:
    def __repr__(self) -> str:
        return "HOLE"


HOLE: Any = _Hole()
"""A value that is never looked at, since the part it belongs to is not there."""


@dataclass(eq=False)
class Slot(Node):
    """A value an instance, and the expression that has it."""

    values: list[Any]
    hint: tuple[str, str]
    text: str = ""


@dataclass(eq=False)
class Pick(Node):
    """Modules too different for one expression: they are handed in."""

    values: list[Any]
    hint: tuple[str, str]
    text: str = ""

    @property
    def is_module(self) -> bool:
        return True


@dataclass(eq=False)
class Option(Node):
    """A part that some instances have; `skips` where it is a term x of a sum, not a module."""

    node: Any
    present: Slot
    skips: bool = False

    @property
    def inner(self) -> tuple[Node, ...]:
        return () if self.skips else (self.node,)

    @property
    def is_module(self) -> bool:
        return not self.skips

    @property
    def is_term(self) -> bool:
        return self.skips


@dataclass(eq=False)
class Repeat(Node):
    """Numbered parts: the first, and `count` more that are alike."""

    first: Any
    rest: Any
    count: Slot = field(default_factory=lambda: Slot([], ("", "depth")))

    @property
    def inner(self) -> tuple[Node, ...]:
        return (self.first, self.rest, self.count)

    @property
    def is_module(self) -> bool:
        return self.first.is_module


def outputs_of(node: Node) -> int:
    """How many values it makes."""
    return node.outputs if isinstance(node, Call | Composite | Item) else 1


def walk(tree: Node) -> Iterator[Node]:
    """The tree and all that is in it."""
    yield tree
    for part in tree.inner:
        yield from walk(part)


def slots(pattern: Node) -> Iterator[Node]:
    """Slots, picks and options, in order."""
    for part in pattern.inner:
        yield from slots(part)
    if isinstance(pattern, Slot | Pick | Option):
        yield pattern


def is_attribute(name: str) -> bool:
    """Whether a part can be written as `self.name`; Python would read some letters beyond
    ASCII as others.
    """
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name)


def numbered(name: str) -> bool:
    """Whether a part has a number for a name, as Python and a list of modules write it."""
    return name.isascii() and name.isdigit() and name == str(int(name[:DIGITS]))


def is_counted(names: list[str]) -> bool:
    """Whether parts are called 0, 1, 2, ..., as those of a list are."""
    return names == [str(i) for i in range(len(names))]
