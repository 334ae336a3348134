"""A net as a tree of constructor calls, wiring, and blocks that become classes."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch

from netwright.core.graph import Frozen, Shared, Tap, TimeDistributed
from netwright.core.interpret import Shapes, below
from netwright.core.join import Add, Cat, Mul
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec, Unit
from netwright.core.wiring import Branches, Sequential, Wiring, streams
from netwright.export.constructor import Call, call_of
from netwright.units import Mean

__all__ = [
    "Composite",
    "Item",
    "Operator",
    "Tree",
    "Use",
    "is_attribute",
    "is_counted",
    "is_free",
    "is_module",
    "numbered",
    "tree_of",
    "walk",
]


DIGITS = 9
"""The longest number that is a name of a part in a list."""


@dataclass(frozen=True)
class Operator:
    """An operator between values; `stretch` is, a value, how many axes it lacks (of `cat`:
    whether it is one position that becomes a map).
    """

    kind: str
    stretch: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Composite:
    """Wiring over trees, for so many values in and out; `frozen` where it does not learn,
    `tap` where only training runs it.
    """

    wiring: Wiring
    parts: tuple[tuple[str, Any], ...]
    inputs: int
    outputs: int
    frozen: bool = False
    tap: bool = False


@dataclass(frozen=True, eq=False)
class Use:
    """A module that every use of the same key shares."""

    key: str
    body: Any


@dataclass(frozen=True, eq=False)
class Item:
    """A block at an input: one instance of a class to be written."""

    block: Block
    xs: tuple[Shape, ...]
    body: Any
    outputs: int
    channels: int


Tree: TypeAlias = Call | Operator | Composite | Use | Item
_JOINS: dict[type[Unit], str] = {Add: "+", Mul: "*", Cat: "cat", Mean: "mean"}


def tree_of(net: Net) -> Tree:
    """The tree of a net."""
    reader = _Reader()
    with torch.device("meta"):
        reader(net.spec, "", (net.input,))
    tree = reader.trees[""]
    uses = Counter(part.key for part in walk(tree) if isinstance(part, Use))
    return _closed(tree, uses)


class _Reader(Shapes):
    """Sends shapes through a spec and keeps the tree of every part."""

    def __init__(self) -> None:
        self.trees: dict[str, Tree] = {}
        self._items: dict[tuple[Block, tuple[Shape, ...]], tuple[Tree, Any]] = {}
        self._calls: dict[tuple[Unit, tuple[Shape, ...]], Tree] = {}

    def __call__(self, spec: Spec, path: str, xs: tuple[Shape, ...]) -> Any:
        if not isinstance(spec, Block):
            return super().__call__(spec, path, xs)
        if (spec, xs) not in self._items:
            y = self(self.expand(spec, path, xs), path, xs)
            self._items[spec, xs] = _item(spec, xs, self.trees[path], y), y
        self.trees[path], y = self._items[spec, xs]
        return y

    def unit(self, unit: Unit, path: str, xs: tuple[Shape, ...]) -> Shape:
        if (unit, xs) not in self._calls:
            kind = _JOINS.get(type(unit))
            self._calls[unit, xs] = _join(kind, xs) if kind else call_of(unit.module(*xs))
        self.trees[path] = self._calls[unit, xs]
        return super().unit(unit, path, xs)

    def flow(self, wiring: Wiring, path: str, xs: tuple[Shape, ...]) -> Any:
        return self._keep(wiring, path, xs, super().flow(wiring, path, xs))

    def tap(self, tap: Tap, path: str, xs: tuple[Shape, ...]) -> Any:
        return self._keep(tap, path, xs, super().flow(tap, path, xs), tap=True)

    def frozen(self, frozen: Frozen, path: str, xs: tuple[Shape, ...]) -> Any:
        return self._keep(frozen, path, xs, super().flow(frozen, path, xs), frozen=True)

    def time_distributed(self, wiring: TimeDistributed, path: str, xs: tuple[Shape, ...]) -> Any:
        return self._keep(wiring, path, xs, super().time_distributed(wiring, path, xs))

    def shared(self, shared: Shared, path: str, xs: tuple[Shape, ...]) -> Any:
        y = super().flow(shared, path, xs)
        use = Use(shared.key, self.trees.pop(below(path, "body")))
        self.trees[path] = Composite(Sequential(), (("body", use),), len(xs), len(streams(y)))
        return y

    def _keep(self, wiring: Wiring, path: str, xs: tuple[Shape, ...], y: Any, **kind: bool) -> Any:
        """Keep the wiring over the trees of its parts."""
        join = [("join", self.trees.pop(path))] if isinstance(wiring, Branches) else []
        parts = [(name, self.trees.pop(below(path, name))) for name in wiring.names]
        self.trees[path] = Composite(wiring, (*parts, *join), len(xs), len(streams(y)), **kind)
        return y


def _join(kind: str, xs: tuple[Shape, ...]) -> Operator:
    if kind == "cat":
        size = max(x[1:] for x in xs)
        return Operator(kind, tuple([int(x[1:] != size) for x in xs]))
    rank = max(len(x) for x in xs)
    return Operator(kind, tuple([rank - len(x) for x in xs]))


def _item(block: Block, xs: tuple[Shape, ...], body: Tree, y: Any) -> Tree:
    """A block, or what it stands for where that says as much."""
    taps = any(isinstance(part, Composite) and part.tap for part in walk(body))
    if not isinstance(body, Composite) or taps:
        return body
    if isinstance(body.wiring, Sequential) and all(numbered(name) for name, _ in body.parts):
        return body
    return Item(block, xs, body, len(streams(y)), streams(y)[0][0])


def _closed(tree: Tree, uses: Counter[str]) -> Tree:
    """The tree with blocks opened that share a module with what is around them."""
    if isinstance(tree, Item):
        own = Counter(part.key for part in walk(tree) if isinstance(part, Use))
        if any(uses[key] != count for key, count in own.items()):
            return _closed(tree.body, uses)
        return tree
    if isinstance(tree, Composite) and any(isinstance(part, Use) for part in walk(tree)):
        return replace(tree, parts=tuple([(n, _closed(part, uses)) for n, part in tree.parts]))
    return tree


def walk(tree: Any) -> Iterator[Any]:
    """The tree and all that is in it."""
    yield tree
    if isinstance(tree, Composite):
        for _, part in tree.parts:
            yield from walk(part)
    elif isinstance(tree, Item | Use):
        yield from walk(tree.body)
    elif isinstance(tree, Call):
        for value in tree.args:
            if isinstance(value, Call):
                yield from walk(value)


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


def is_free(tree: Any) -> bool:
    """Whether a tree passes on what it gets."""
    if isinstance(tree, Composite) and isinstance(tree.wiring, Sequential):
        return all(is_free(part) for _, part in tree.parts)
    return isinstance(tree, Call) and tree.free


def is_module(tree: Any) -> bool:
    """Whether a tree is written as a module, rather than in the forward of another."""
    if isinstance(tree, Call | Item):
        return True
    if isinstance(tree, Use):
        return is_module(tree.body)
    if isinstance(tree, Composite) and isinstance(tree.wiring, Sequential):
        single = tree.inputs == tree.outputs == 1
        return single and all(is_module(part) for _, part in tree.parts)
    return False
