"""One pattern for many trees: trees themselves, with slots where they differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from netwright.core.wiring import Sequential, Sum, bundled, streams
from netwright.export.tree import (
    HOLE,
    Call,
    Composite,
    Node,
    Operator,
    Option,
    Pick,
    Repeat,
    Slot,
    Use,
    is_attribute,
    is_counted,
    numbered,
    outputs_of,
)

__all__ = ["Mismatch", "unify"]


class Mismatch(Exception):
    """The trees have no pattern in common."""


def unify(column: list[Any], part: str = "") -> Any:
    """The pattern of trees, one an instance; None is a part that an instance lacks."""
    present = [tree for tree in column if tree is not HOLE]
    if all(_is_gone(tree) for tree in present):
        return next((tree for tree in present if tree is not None), None)
    if any(_is_gone(tree) for tree in present):
        return _option(column, part)
    if len({type(tree) for tree in present}) == 1:
        try:
            return _UNIFY[type(present[0])](column, present, part)
        except Mismatch:
            pass
    if all(isinstance(tree, Node) and tree.is_module for tree in present):
        return Pick(column, (part, "module"))
    raise Mismatch


def _is_gone(tree: Any) -> bool:
    return tree is None or (isinstance(tree, Node) and tree.is_free)


def _option(column: list[Any], part: str) -> Option:
    """A part that is not everywhere; it has to be a module by itself."""
    inner = unify([HOLE if _is_gone(tree) else tree for tree in column], part)
    if not inner.is_module:
        raise Mismatch
    present = [HOLE if tree is HOLE else not _is_gone(tree) for tree in column]
    return Option(inner, Slot(present, (part, "")))


def _operators(column: list[Any], present: list[Operator], part: str) -> Operator:
    if len(set(present)) > 1:
        raise Mismatch
    return present[0]


def _uses(column: list[Any], present: list[Use], part: str) -> Use:
    return Use(present[0].key, unify([t if t is HOLE else t.body for t in column], part))


def _calls(column: list[Any], present: list[Call], part: str) -> Call:
    form = present[0].form
    if len({call.form for call in present}) > 1:
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
    return Call(form, tuple(args), present[0].outputs)


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and a == b


def _composites(column: list[Any], present: list[Composite], part: str) -> Composite:
    like = max(present, key=lambda composite: len(composite.parts))
    if len({type(composite.wiring) for composite in present}) > 1:
        column, like = _beside_nothing(column, present)
        present = [composite for composite in column if composite is not HOLE]
    if isinstance(like.wiring, Sequential):
        return _chains(column, present, like, inner=bool(part))
    if len({(composite.inputs, composite.outputs, _links(composite)) for composite in present}) > 1:
        raise Mismatch
    parts = [(name, _part(column, name)) for name, _ in like.parts]
    return replace(like, parts=tuple(parts))


def _links(composite: Composite) -> Any:
    """What every part reads, and what the wiring returns: each value as its part and number."""
    parts, reads = dict(composite.parts), list[Any]()

    def run(name: str, *values: Any) -> Any:
        reads.append((name, values))
        return bundled([(name, i) for i in range(outputs_of(parts[name]))])

    given = [("", i) for i in range(composite.inputs)]
    ends = composite.wiring.flow(*given, run=run)
    return tuple(reads), tuple(streams(ends))


def _part(column: list[Any], name: str) -> Any:
    values = [
        composite if composite is HOLE else dict(composite.parts).get(name) for composite in column
    ]
    if any(value is _ABSENT for value in values):
        if not is_attribute(name):
            raise Mismatch
        there = [tree if tree is HOLE else tree is not _ABSENT for tree in values]
        return Option(None, Slot(there, (name, "")), skips=True)
    return unify(values, name)


def _beside_nothing(column: list[Any], present: list[Composite]) -> tuple[list[Any], Composite]:
    """Chains of one part beside sums of that part and x: sums whose x may be absent."""
    sums = [composite for composite in present if isinstance(composite.wiring, Sum)]
    like = sums[0] if sums else present[0]
    free = [name for name, tree in like.parts if tree.is_free]
    others = [name for name, _ in like.parts if name not in free and name != "join"]
    for composite in present:
        if not isinstance(composite.wiring, Sum) and (
            not isinstance(composite.wiring, Sequential)
            or len(free) != 1
            or [name for name, _ in composite.parts] != others
        ):
            raise Mismatch

    def summed(composite: Any) -> Any:
        if composite is HOLE or isinstance(composite.wiring, Sum):
            return composite
        inner = dict(composite.parts)
        parts = [(name, _ABSENT if name in free else inner.get(name, other))
                 for name, other in like.parts]  # fmt: skip
        return replace(like, parts=tuple(parts))

    return [summed(composite) for composite in column], like


_ABSENT = Operator("absent", ())


def _chains(column: list[Any], present: list[Composite], like: Composite, inner: bool) -> Composite:
    if len({(composite.inputs * inner, composite.outputs) for composite in present}) > 1:
        raise Mismatch  # a block's own chain may take any number of inputs
    lengths = {sum(numbered(name) for name, _ in composite.parts) for composite in present}
    run = [("*", _run(column))] if len(lengths) > 1 else []
    order = [name for name, _ in like.parts if not (run and numbered(name))]
    for composite in present:
        names = [name for name, _ in composite.parts if not (run and numbered(name))]
        if not _within(names, order):
            raise Mismatch
    parts = [(name, _part(column, name)) for name in order]
    return replace(like, parts=(*run, *parts))


def _within(names: list[str], order: list[str]) -> bool:
    rest = iter(order)
    return all(name in rest for name in names)


def _run(column: list[Any]) -> Repeat:
    """Numbered parts, of which some trees have more than others."""
    first, rest, counts = list[Any](), list[Any](), list[Any]()
    for composite in column:
        numbers = 0 if composite is HOLE else sum(numbered(name) for name, _ in composite.parts)
        run = [] if composite is HOLE else composite.parts[:numbers]
        if composite is not HOLE and not (run and is_counted([name for name, _ in run])):
            raise Mismatch
        parts = [part for _, part in run]
        if not all(_alike(part, parts[1]) for part in parts[2:]):
            raise Mismatch
        first.append(parts[0] if parts else HOLE)
        rest.append(parts[1] if parts[1:] else HOLE)
        counts.append(len(parts) - 1 if parts else HOLE)
    return Repeat(unify(first), unify(rest), Slot(counts, ("", "depth")))


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, Composite) and isinstance(b, Composite):
        names = [name for name, _ in a.parts] == [name for name, _ in b.parts]
        same = type(a.wiring) is type(b.wiring) and names
        return same and all(_alike(x, y) for (_, x), (_, y) in zip(a.parts, b.parts, strict=True))
    return a is b or (type(a) is type(b) and a == b)


_UNIFY: dict[type, Callable[[list[Any], list[Any], str], Any]] = {
    Call: _calls,
    Operator: _operators,
    Use: _uses,
    Composite: _composites,
}
