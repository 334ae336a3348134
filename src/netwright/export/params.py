"""The parameters of a written class: what its instances differ by, in as few words as can be."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from netwright.export.constructor import REQUIRED
from netwright.export.expression import is_attribute, literal
from netwright.export.pattern import HOLE, Option, Pick, Slot, slots

__all__ = ["Param", "Params"]

Values = list[Any]
_TAKEN = frozenset(["nn", "self", "torch"])
"""Names that every written class reads."""


@dataclass
class Param:
    """A parameter: its value an instance, and its default."""

    name: str
    values: Values
    default: Any = REQUIRED
    told: bool = False
    """Whether calls tell it by name, though it has no default."""

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

    `known` are what may become parameters: names, values an instance, and defaults.
    """

    def __init__(self, known: list[Param], out: Values) -> None:
        self._known = known
        self._out = out
        self.used: list[Param] = []

    def fill(self, node: Any) -> None:
        """Write every slot of a pattern."""
        nodes = list(slots(node))
        plain = [slot for slot in nodes if isinstance(slot, Slot)]
        whole = [slot for slot in plain if HOLE not in slot.values]
        for slot in whole:
            slot.text = self._find(slot.values, slot.hint[1]) or self._fresh(slot, slot.values)
        for slot in plain:
            if slot not in whole:
                like = next((s.text for s in whole if _alike(slot, s)), "")
                found = like or self._find(slot.values, slot.hint[1])
                slot.text = found or self._fresh(slot, slot.values)
        for slot in nodes:
            if isinstance(slot, Pick):
                slot.text = self._fresh(slot, slot.values)
        for slot in nodes:
            if isinstance(slot, Option):
                slot.present.text = self._condition(slot.present)

    @property
    def ordered(self) -> list[Param]:
        """Those used, as a signature lists them: known ones first, defaults last."""
        order = {param.name: i for i, param in enumerate(self._known)}
        used = sorted(self.used, key=lambda p: order.get(p.name, len(order)))
        return sorted(used, key=lambda p: p.default is not REQUIRED)

    def _use(self, param: Param) -> None:
        if param not in self.used:
            self.used.append(param)

    def _scalars(self) -> Iterator[tuple[str, Values, Param]]:
        """Names and values to make expressions of; those that are parameters already first."""
        for param in sorted(self._known, key=lambda p: p not in self.used):
            yield param.name, param.values, param
            sizes = {len(v) if isinstance(v, tuple) else 0 for v in param.values}
            if len(sizes) == 1 and 0 not in sizes:
                for i in range(sizes.pop()):
                    yield f"{param.name}[{i}]", [value[i] for value in param.values], param

    def _find(self, values: Values, argument: str = "") -> str:
        """An expression with these values for an argument, or nothing."""
        seen = [value for value in values if value is not HOLE]
        for param in self._known:
            if argument.startswith(param.name) and _equal(values, param.values):
                self._use(param)
                return param.name
        if all(type(value) is type(seen[0]) and value == seen[0] for value in seen):
            return literal(seen[0])
        scalars = list(self._scalars())
        for name, known, param in scalars:
            if _equal(values, known):
                self._use(param)
                return name
        if not all(type(value) is int for value in seen):
            return ""
        numbers = [
            (name, known, param)
            for name, known, param in scalars
            if all(type(value) is int for value in known) and _concerns(name, argument)
        ]
        for scale in _SCALES:
            for name, known, param in reversed(numbers):
                if _equal(values, [scale(value) for value in known]):
                    self._use(param)
                    return scale(name)
        return self._of_two(values, numbers)

    def _of_two(self, values: Values, numbers: list[tuple[str, Values, Param]]) -> str:
        if len({value for value in values if value is not HOLE}) < 3:
            return ""  # so few may agree by chance
        for i, (a, of_a, first) in enumerate(numbers):
            for b, of_b, second in numbers[i + 1 :]:
                for text, found in (
                    (f"{a} + {b}", [x + y for x, y in zip(of_a, of_b, strict=True)]),
                    (f"{a} * {b}", [x * y for x, y in zip(of_a, of_b, strict=True)]),
                    (f"{a} - {b}", [x - y for x, y in zip(of_a, of_b, strict=True)]),
                    (f"{b} - {a}", [y - x for x, y in zip(of_a, of_b, strict=True)]),
                ):
                    if _equal(values, found):
                        self._use(first)
                        self._use(second)
                        return text
        return ""

    def _fresh(self, slot: Slot | Pick, values: Values) -> str:
        """A parameter of its own; where a part may be absent it has a default."""
        part, argument = slot.hint
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
        taken = {*_TAKEN, *[param.name for param in self._known]}
        names = [*wanted, *[f"{wanted[-1]}{i}" for i in range(2, 100)]]
        name = next(name for name in names if name not in taken)
        param = Param(name, values, default, told=True)
        self._known.append(param)
        self._use(param)
        return name

    def _condition(self, slot: Slot) -> str:
        """When a part is there."""
        wanted = slot.values
        for name, known, param in self._scalars():
            for text, found in _tests(name, known) if "channels" not in name else ():
                if _equal(wanted, found):
                    self._use(param)
                    return text
        whole = [value is True for value in wanted]
        usual = 2 * sum(whole) > len(whole)
        part = slot.hint[0] if is_attribute(slot.hint[0]) else "present"
        return self._changes(wanted) or self._new([part], whole, usual)

    def _changes(self, wanted: Values) -> str:
        """Conditions such as `stride != 1 or in_channels != width`."""
        entry = next((p for p in self._known if p.name in ("in_channels", "channels")), None)
        used = [*self.used]
        out = self._find(self._out) if entry else ""
        self.used, needed = used, [param for param in self.used if param not in used]
        if entry is None or not out or out == entry.name:
            return ""
        wider = [a != b for a, b in zip(entry.values, self._out, strict=True)]
        strides = next((p for p in self.used if p.name == "stride"), None)
        moved = [v != 1 for v in strides.values] if strides else []
        either = [a or b for a, b in zip(wider, moved, strict=True)] if moved else []
        for text, contrary, found, params in (
            (f"stride != 1 or {entry.name} != {out}", f"stride == 1 and {entry.name} == {out}",
             either, [entry, strides]),
            (f"{entry.name} != {out}", f"{entry.name} == {out}", wider, [entry]),
        ):  # fmt: skip
            for said, values in ((text, found), (contrary, [not v for v in found])):
                if values and _equal(wanted, values):
                    for param in [*params, *needed]:
                        self._use(param)  # type: ignore[arg-type]
                    return said
        return ""


def _tests(name: str, known: Values) -> Iterator[tuple[str, Values]]:
    """Questions to ask of a parameter, and the answers an instance."""
    kinds = {type(value) for value in known}
    if kinds <= {bool, int, float}:
        yield name, [bool(value) for value in known]
    if kinds == {bool}:
        yield f"not {name}", [not value for value in known]
    if kinds == {int} and name != "padding":
        yield f"{name} != 1", [value != 1 for value in known]
        yield f"{name} == 1", [value == 1 for value in known]


_CONCERN = {"padding": "kernel", "stride": "stride", "kernel_size": "kernel"}


def _concerns(name: str, argument: str) -> bool:
    """Whether it makes sense to compute an argument from a parameter."""
    return argument not in _CONCERN or name.startswith(_CONCERN[argument])


def _alike(slot: Slot, other: Slot) -> bool:
    return slot.hint[1] == other.hint[1] and _equal(slot.values, other.values)


def _key(value: Any) -> tuple[str, Any]:
    return type(value).__name__, value


def _equal(values: Values, found: Values) -> bool:
    return all(v is HOLE or (type(v) is type(f) and v == f)
               for v, f in zip(values, found, strict=True))  # fmt: skip


@dataclass(frozen=True)
class _Scale:
    """A value times, by, less or more than a number; of a name the expression of that."""

    operator: str
    by: int

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            return f"{value} {self.operator} {self.by}"
        return _OPERATORS[self.operator](value, self.by)


_OPERATORS = {"*": operator.mul, "//": operator.floordiv, "-": operator.sub, "+": operator.add}
_SCALES = [
    *[_Scale(sign, by) for by in (2, 3, 4, 6, 8, 16, 32, 64) for sign in ("*", "//")],
    *[_Scale(sign, 1) for sign in ("-", "+")],
]
