"""The parameters of a written class: what its instances differ by, in as few words as can be."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

from netwright.export.expression import literal
from netwright.export.tree import HOLE, REQUIRED, Option, Pick, Slot, is_attribute, slots

__all__ = ["Param", "Params"]

Values = list[Any]
_Expression: TypeAlias = "tuple[str, Values, tuple[Param, ...]]"
"""A text, its value an instance, and the parameters it reads."""
_TAKEN = frozenset(["nn", "self", "torch"])
"""Names that every written class reads."""


@dataclass
class Param:
    """A parameter: its value an instance, and its default."""

    name: str
    values: Values
    default: Any = REQUIRED
    keyword: bool = False
    """Whether calls write its name, though it has no default."""

    @property
    def annotation(self) -> str:
        """Its type, as code."""
        seen = [value for value in self.values if value is not HOLE]
        kinds = sorted({_type(value) for value in seen}, key=_rank)
        if kinds[:2] == ["float", "int"]:
            kinds.remove("int")
        return " | ".join(kinds)


def _rank(kind: str) -> tuple[bool, bool, str]:
    return kind == "None", "[" in kind, kind


def _type(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, tuple):
        inner = {_type(item) for item in value}
        return f"tuple[{' | '.join(sorted(inner))}, ...]" if value else "tuple[()]"
    return type(value).__name__ if isinstance(value, bool | int | float | str) else "nn.Module"


class Params:
    """Finds expressions for the slots of a pattern, and the parameters they need.

    `candidates` may become parameters: names, values an instance, and defaults; `out` is how many
    channels come out of every instance.
    """

    def __init__(self, candidates: list[Param], out: Values) -> None:
        self._candidates = candidates
        self._out = out
        self.used: list[Param] = []

    def fill(self, node: Any) -> None:
        """Write every slot of a pattern."""
        nodes = list(slots(node))
        plain = [slot for slot in nodes if isinstance(slot, Slot)]
        whole = [slot for slot in plain if HOLE not in slot.values]
        for slot in whole:
            slot.text = self._expression(slot.values, slot.hint[1]) or self._fresh(slot)
        for slot in plain:
            if slot not in whole:
                like = next((s.text for s in whole if _alike(slot, s)), "")
                text = like or self._expression(slot.values, slot.hint[1])
                slot.text = text or self._fresh(slot)
        for slot in nodes:
            if isinstance(slot, Pick):
                slot.text = self._fresh(slot)
        for slot in nodes:
            if isinstance(slot, Option):
                slot.present.text = self._condition(slot.present)

    @property
    def ordered(self) -> list[Param]:
        """Those used, as a signature lists them: candidates first, defaults last."""
        order = {param.name: i for i, param in enumerate(self._candidates)}
        used = sorted(self.used, key=lambda p: order.get(p.name, len(order)))
        return sorted(used, key=lambda p: p.default is not REQUIRED)

    def _use(self, *params: Param) -> None:
        self.used += [param for param in params if param not in self.used]

    def _scalars(self) -> Iterator[_Expression]:
        """Candidates and the items of those that are tuples; parameters already used first."""
        for param in sorted(self._candidates, key=lambda p: p not in self.used):
            yield param.name, param.values, (param,)
            sizes = {len(v) if isinstance(v, tuple) else 0 for v in param.values}
            if len(sizes) == 1 and 0 not in sizes:
                for i in range(sizes.pop()):
                    yield f"{param.name}[{i}]", [value[i] for value in param.values], (param,)

    def _expression(self, values: Values, argument: str = "") -> str:
        """An expression with these values for an argument, or nothing."""
        seen = [value for value in values if value is not HOLE]
        for param in self._candidates:
            if argument.startswith(param.name) and _equal(values, param.values):
                self._use(param)
                return param.name
        if all(type(value) is type(seen[0]) and value == seen[0] for value in seen):
            return literal(seen[0])
        for text, results, params in self._expressions(seen, argument):
            if _equal(values, results):
                self._use(*params)
                return text
        return ""

    def _expressions(self, seen: Values, argument: str) -> Iterator[_Expression]:
        """What an argument may be: a candidate, for numbers its multiples, then what two make."""
        scalars = list(self._scalars())
        yield from scalars
        if not all(type(value) is int for value in seen):
            return
        numbers = [
            (name, values, params)
            for name, values, params in scalars
            if all(type(value) is int for value in values) and _concerns(name, argument)
        ]
        for sign, by in _MULTIPLES:
            for name, values, params in reversed(numbers):
                results = [_OPERATORS[sign](value, by) for value in values]
                yield f"{name} {sign} {by}", results, params
        if len({*seen}) < 3:
            return  # so few may agree by chance
        for one, two in combinations(numbers, 2):
            for sign, (a, b) in (("+", (one, two)), ("*", (one, two)),
                                 ("-", (one, two)), ("-", (two, one))):  # fmt: skip
                yield f"{a[0]} {sign} {b[0]}", [*map(_OPERATORS[sign], a[1], b[1])], one[2] + two[2]

    def _fresh(self, slot: Slot | Pick) -> str:
        """A parameter of its own; where a part may be absent it has a default."""
        (part, argument), values = slot.hint, slot.values
        seen = [value for value in values if value is not HOLE]
        whole = [seen[0] if value is HOLE else value for value in values]
        if isinstance(slot, Pick):
            return self._new([part if is_attribute(part) else "branch"], whole, REQUIRED)
        wanted = [argument, f"{part}_{argument}" if is_attribute(part) else argument]
        if len(seen) == len(values):
            return self._new(wanted, values, REQUIRED)
        usual = Counter(map(_key, seen)).most_common(1)[0][0][1]
        return self._new(wanted, [usual if v is HOLE else v for v in values], usual)

    def _new(self, wanted: list[str], values: Values, default: Any) -> str:
        taken = {*_TAKEN, *[param.name for param in self._candidates]}
        names = [*wanted, *[f"{wanted[-1]}{i}" for i in range(2, 100)]]
        name = next(name for name in names if name not in taken)
        param = Param(name, values, default, keyword=True)
        self._candidates.append(param)
        self._use(param)
        return name

    def _condition(self, slot: Slot) -> str:
        """When a part is there."""
        wanted = slot.values
        for name, values, params in self._scalars():
            for text, answers in _tests(name, values) if "channels" not in name else ():
                if _equal(wanted, answers):
                    self._use(*params)
                    return text
        whole = [value is True for value in wanted]
        usual = 2 * sum(whole) > len(whole)
        part = slot.hint[0] if is_attribute(slot.hint[0]) else "present"
        return self._changes(wanted) or self._new([part], whole, usual)

    def _changes(self, wanted: Values) -> str:
        """Conditions such as `stride != 1 or in_channels != width`."""
        names = ("in_channels", "channels")
        entry = next((p for p in self._candidates if p.name in names), None)
        used = [*self.used]
        out = self._expression(self._out) if entry else ""
        self.used, needed = used, [param for param in self.used if param not in used]
        if entry is None or not out or out == entry.name:
            return ""
        wider = [a != b for a, b in zip(entry.values, self._out, strict=True)]
        conditions = [(f"{entry.name} != {out}", f"{entry.name} == {out}", wider, [entry])]
        if stride := next((p for p in self.used if p.name == "stride"), None):
            either = [a or v != 1 for a, v in zip(wider, stride.values, strict=True)]
            text, contrary, *_ = conditions[0]
            first = (f"stride != 1 or {text}", f"stride == 1 and {contrary}", either,
                     [entry, stride])  # fmt: skip
            conditions.insert(0, first)
        for text, contrary, answers, params in conditions:
            for condition, values in ((text, answers), (contrary, [not v for v in answers])):
                if _equal(wanted, values):
                    self._use(*params, *needed)
                    return condition
        return ""


def _tests(name: str, values: Values) -> Iterator[tuple[str, Values]]:
    """Questions to ask of a parameter, and the answers an instance."""
    kinds = {type(value) for value in values}
    if kinds <= {bool, int, float}:
        yield name, [bool(value) for value in values]
    if kinds == {bool}:
        yield f"not {name}", [not value for value in values]
    if kinds == {int} and name != "padding":
        yield f"{name} != 1", [value != 1 for value in values]
        yield f"{name} == 1", [value == 1 for value in values]


_CONCERN = {"padding": "kernel", "stride": "stride", "kernel_size": "kernel"}


def _concerns(name: str, argument: str) -> bool:
    """Whether it makes sense to compute an argument from a parameter."""
    return argument not in _CONCERN or name.startswith(_CONCERN[argument])


def _alike(slot: Slot, other: Slot) -> bool:
    return slot.hint[1] == other.hint[1] and _equal(slot.values, other.values)


def _key(value: Any) -> tuple[str, Any]:
    return type(value).__name__, value


def _equal(values: Values, results: Values) -> bool:
    return all(v is HOLE or (type(v) is type(r) and v == r)
               for v, r in zip(values, results, strict=True))  # fmt: skip


_OPERATORS = {"*": operator.mul, "//": operator.floordiv, "-": operator.sub, "+": operator.add}
_MULTIPLES = [
    *[(sign, by) for by in (2, 3, 4, 6, 8, 16, 32, 64) for sign in ("*", "//")],
    ("-", 1), ("+", 1),
]  # fmt: skip
"""What a number of an instance may be of another."""
