"""One pattern for many trees: what they have in common, and slots for what differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from netwright.core.graph import Graph, Node, Tap
from netwright.core.wiring import Sequential, Sum
from netwright.export.constructor import Call
from netwright.export.expression import is_attribute
from netwright.export.pattern import HOLE, Option, Pick, Run, Slot, bare
from netwright.export.tree import Join, Use, Wire, counted, is_free, is_module, numbered

__all__ = ["Mismatch", "unify"]


class Mismatch(Exception):
    """The trees have no pattern in common."""


def unify(column: list[Any], part: str = "") -> Any:
    """The pattern of trees, one an instance; None is a part that an instance lacks."""
    known = [tree for tree in column if tree is not HOLE]
    if all(_is_gone(tree) for tree in known):
        return next((tree for tree in known if tree is not None), None)
    if any(_is_gone(tree) for tree in known):
        return _option(column, part)
    if len({type(tree) for tree in known}) == 1:
        try:
            return _UNIFY[type(known[0])](column, known, part)
        except Mismatch:
            pass
    if all(is_module(tree) for tree in known):
        return Pick(column, (part, "module"))
    raise Mismatch


def _is_gone(tree: Any) -> bool:
    return tree is None or (tree is not HOLE and is_free(tree))


def _option(column: list[Any], part: str) -> Option:
    """A part that is not everywhere; it has to be a module by itself."""
    inner = unify([HOLE if _is_gone(tree) else tree for tree in column], part)
    if not is_module(bare(inner)):
        raise Mismatch
    present = [HOLE if tree is HOLE else not _is_gone(tree) for tree in column]
    return Option(inner, Slot(present, (part, "")))


def _joins(column: list[Any], known: list[Join], part: str) -> Join:
    if len(set(known)) > 1:
        raise Mismatch
    return known[0]


def _uses(column: list[Any], known: list[Use], part: str) -> Use:
    return Use(known[0].key, unify([t if t is HOLE else t.body for t in column], part))


def _calls(column: list[Any], known: list[Call], part: str) -> Call:
    form = known[0].form
    if len({call.form for call in known}) > 1:
        raise Mismatch
    args = list[Any]()
    for i, (name, default) in enumerate(form.params):
        values = [HOLE if tree is HOLE else tree.args[i] for tree in column]
        seen = [value for value in values if value is not HOLE]
        if any(not isinstance(value, bool | int | float | str | tuple | None) for value in seen):
            args.append(unify(values, part))
        elif all(_same(value, seen[0]) for value in seen) and (
            len(seen) == len(values) or seen[0] == default
        ):
            args.append(seen[0])
        else:
            args.append(Slot(values, (part, name)))
    return Call(form, tuple(args), known[0].outputs)


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and a == b


def _wires(column: list[Any], known: list[Wire], part: str) -> Wire:
    like = max(known, key=lambda wire: len(wire.parts))
    if len({type(wire.wiring) for wire in known}) > 1:
        column, like = _beside_nothing(column, known)
        known = [wire for wire in column if wire is not HOLE]
    if isinstance(like.wiring, Sequential):
        return _chains(column, known, like, inner=bool(part))
    if len({(wire.inputs, wire.outputs, _reads(wire)) for wire in known}) > 1:
        raise Mismatch
    parts = [(name, _part(column, name)) for name, _ in like.parts]
    return replace(like, parts=tuple(parts))


def _reads(wire: Wire) -> Any:
    """What has to be alike in wiring that is no chain: its names, and what they read."""
    nodes = wire.wiring.parts if isinstance(wire.wiring, Graph) else ()
    read = tuple([part.inputs if isinstance(part, Node) else () for _, part in nodes])
    weight = wire.wiring.weight if isinstance(wire.wiring, Tap) else None
    return tuple([name for name, _ in wire.parts]), read, weight


def _part(column: list[Any], name: str) -> Any:
    values = [wire if wire is HOLE else dict(wire.parts).get(name) for wire in column]
    if any(value is _ABSENT for value in values):
        if not is_attribute(name):
            raise Mismatch
        there = [tree if tree is HOLE else tree is not _ABSENT for tree in values]
        return Option(None, Slot(there, (name, "")), skips=True)
    return unify(values, name)


def _beside_nothing(column: list[Any], known: list[Wire]) -> tuple[list[Any], Wire]:
    """Chains of one part beside sums of that part and x: sums whose x may be absent."""
    sums = [wire for wire in known if isinstance(wire.wiring, Sum)]
    like = sums[0] if sums else known[0]
    free = [name for name, tree in like.parts if is_free(tree)]
    others = [name for name, _ in like.parts if name not in free and name != "join"]
    for wire in known:
        if not isinstance(wire.wiring, Sum) and (
            not isinstance(wire.wiring, Sequential)
            or len(free) != 1
            or [name for name, _ in wire.parts] != others
        ):
            raise Mismatch

    def summed(wire: Any) -> Any:
        if wire is HOLE or isinstance(wire.wiring, Sum):
            return wire
        inner = dict(wire.parts)
        parts = [(name, _ABSENT if name in free else inner.get(name, other))
                 for name, other in like.parts]  # fmt: skip
        return replace(like, parts=tuple(parts))

    return [summed(wire) for wire in column], like


_ABSENT = Join("absent", ())


def _chains(column: list[Any], known: list[Wire], like: Wire, inner: bool) -> Wire:
    if len({(wire.inputs * inner, wire.outputs) for wire in known}) > 1:
        raise Mismatch  # a block's own chain may take any number of inputs
    lengths = {sum(numbered(name) for name, _ in wire.parts) for wire in known}
    run = [("*", _run(column))] if len(lengths) > 1 else []
    order = [name for name, _ in like.parts if not (run and numbered(name))]
    for wire in known:
        names = [name for name, _ in wire.parts if not (run and numbered(name))]
        if not _within(names, order):
            raise Mismatch
    parts = [(name, _part(column, name)) for name in order]
    return replace(like, parts=(*run, *parts))


def _within(names: list[str], order: list[str]) -> bool:
    rest = iter(order)
    return all(name in rest for name in names)


def _run(column: list[Any]) -> Run:
    """Numbered parts, of which some trees have more than others."""
    first, rest, counts = list[Any](), list[Any](), list[Any]()
    for wire in column:
        numbers = 0 if wire is HOLE else sum(numbered(name) for name, _ in wire.parts)
        run = [] if wire is HOLE else wire.parts[:numbers]
        if wire is not HOLE and not (run and counted([name for name, _ in run])):
            raise Mismatch
        parts = [part for _, part in run]
        if not all(_alike(part, parts[1]) for part in parts[2:]):
            raise Mismatch
        first.append(parts[0] if parts else HOLE)
        rest.append(parts[1] if parts[1:] else HOLE)
        counts.append(len(parts) - 1 if parts else HOLE)
    return Run(unify(first), unify(rest), Slot(counts, ("", "depth")))


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, Wire) and isinstance(b, Wire):
        names = [name for name, _ in a.parts] == [name for name, _ in b.parts]
        same = type(a.wiring) is type(b.wiring) and names
        return same and all(_alike(x, y) for (_, x), (_, y) in zip(a.parts, b.parts, strict=True))
    return a is b or (type(a) is type(b) and a == b)


_UNIFY: dict[type, Callable[[list[Any], list[Any], str], Any]] = {
    Call: _calls,
    Join: _joins,
    Use: _uses,
    Wire: _wires,
}
