"""Nets as trees: the interpreter that keeps, of every part, what its source says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import torch

from netwright.core.graph import Frozen, Shared, Tap, TimeDistributed
from netwright.core.interpret import Shapes, below
from netwright.core.join import Add, Cat, Mul
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec, Unit
from netwright.core.wiring import Branches, Sequential, Wiring, streams
from netwright.export.constructor import call_of
from netwright.export.tree import Composite, Item, Node, Operator, Use, numbered, walk
from netwright.units import Mean

__all__ = ["tree_of"]

_JOINS: dict[type[Unit], str] = {Add: "+", Mul: "*", Cat: "cat", Mean: "mean"}


def tree_of(net: Net) -> Node:
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
        self.trees: dict[str, Node] = {}
        self._items: dict[tuple[Block, tuple[Shape, ...]], tuple[Node, Any]] = {}
        self._calls: dict[tuple[Unit, tuple[Shape, ...]], Node] = {}

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


def _item(block: Block, xs: tuple[Shape, ...], body: Node, y: Any) -> Node:
    """A block, or what it stands for where that says as much."""
    taps = any(isinstance(part, Composite) and part.tap for part in walk(body))
    if not isinstance(body, Composite) or taps:
        return body
    if isinstance(body.wiring, Sequential) and all(numbered(name) for name, _ in body.parts):
        return body
    return Item(block, xs, body, len(streams(y)), streams(y)[0][0])


def _closed(tree: Node, uses: Counter[str]) -> Node:
    """The tree with blocks opened that share a module with what is around them."""
    if isinstance(tree, Item):
        own = Counter(part.key for part in walk(tree) if isinstance(part, Use))
        if any(uses[key] != count for key, count in own.items()):
            return _closed(tree.body, uses)
        return tree
    if isinstance(tree, Composite) and any(isinstance(part, Use) for part in walk(tree)):
        return replace(tree, parts=tuple([(n, _closed(part, uses)) for n, part in tree.parts]))
    return tree
