"""Modules as expressions that make them."""

from __future__ import annotations

import keyword
import math
import re
from dataclasses import replace
from itertools import groupby, pairwise, takewhile
from typing import Any

from netwright.core.text import quoted
from netwright.export.constructor import REQUIRED, Call
from netwright.export.layout import Doc, Group, If, Keyword, flat
from netwright.export.pattern import Option, Pick, Run, Slot, bare
from netwright.export.tree import Join, Use, Wire, counted, is_free, is_module, numbered

__all__ = [
    "is_attribute",
    "is_list",
    "leading",
    "list_items",
    "literal",
    "made",
    "module_list",
    "stored",
]

MOST_POSITIONS = 7
"""So many arguments at most are told without their names."""


def literal(value: Any) -> str:
    """A number, flag, text or tuple of them, as code."""
    if isinstance(value, Slot):
        return value.text
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, tuple):
        inner = ", ".join(map(literal, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, str):
        return quoted(value)
    return repr(value)


def is_attribute(name: str) -> bool:
    """Whether a part can be written as `self.name`; Python would read some letters beyond
    ASCII as others.
    """
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name)


def made(node: Any, shared: dict[str, str]) -> Doc:
    """The expression of a module; `shared` are variables of modules with several uses."""
    if isinstance(node, Call):
        return _call(node, shared)
    if isinstance(node, Pick):
        return node.text
    if isinstance(node, Use):
        return shared.get(node.key) or made(node.body, shared)
    if isinstance(node, Option):
        return If(made(node.node, shared), node.present.text, "nn.Identity()")
    if isinstance(node, Run):
        return Group("nn.Sequential(", tuple(_items(node, shared)))
    assert isinstance(node, Wire)
    return _chain(node, shared) if is_module(bare(node)) else _group(node, shared)


def _call(call: Call, shared: dict[str, str]) -> Doc:
    items, named = list[Doc](), False
    for (name, default), value in zip(call.form.params, call.args, strict=True):
        if type(value) is type(default) and value == default:
            continue
        if isinstance(default, float) and isinstance(value, int) and value == default:
            continue
        doc = made(value, shared) if _is_node(value) else literal(value)
        named = named or default is not REQUIRED or name in call.form.keywords
        named = named or len(items) == MOST_POSITIONS
        items.append(Keyword(name, doc) if named else doc)
    return Group(f"{call.form.name}(", tuple(items))


def _is_node(value: Any) -> bool:
    return isinstance(value, Call | Wire | Pick | Option | Use)


def _chain(wire: Wire, shared: dict[str, str]) -> Doc:
    if is_list(wire):
        return Group("nn.Sequential(", tuple(list_items(wire, shared)))
    parts = [(name, part) for name, part in wire.parts if not is_free(part)]
    return _named("chain", [(name, made(part, shared)) for name, part in parts])


def _group(wire: Wire, shared: dict[str, str]) -> Doc:
    parts = [(name, part) for name, part in wire.parts if stored(part)]
    if is_list(wire):
        return module_list("nn.ModuleList(", list_items(wire, shared))
    return _named("group", [(name, made(part, shared)) for name, part in parts])


def module_list(head: str, items: list[Doc]) -> Doc:
    """A call of a list of modules."""
    only = items[0] if len(items) == 1 else None
    if isinstance(only, Group) and only.head == "*[":
        return Group(head, (replace(only, head="["),))
    return Group(head, (Group("[", tuple(items), "]"),))


def is_list(wire: Wire) -> bool:
    """Whether the parts of wiring are those of a list: as many as there are, or counted."""
    names = _modules(wire)
    return names == ["*"] or counted(names)


def _modules(wire: Wire) -> list[str]:
    """The names of all parts but operators."""
    return [name for name, part in wire.parts if not isinstance(bare(part), Join)]


def leading(wire: Wire) -> list[str]:
    """The parts that a class hands to its list, before those that it names; none where numbers
    have gaps or stand elsewhere.
    """
    names = _modules(wire)
    first = list(takewhile(lambda name: numbered(name) or name == "*", names))
    gaps = first != ["*"] and not counted(first)
    if gaps or any(map(numbered, names[len(first) :])):
        return []
    return first if any(stored(part) for name, part in wire.parts if name in first) else []


def stored(node: Any) -> bool:
    """Whether a part of wiring is a module at all, rather than x or an operator."""
    if isinstance(node, Join) or (isinstance(node, Option) and node.skips):
        return False
    if isinstance(node, Wire) and not is_module(bare(node)):
        return any(stored(part) for _, part in node.parts)
    return not (isinstance(node, Call | Wire) and is_free(node))


def _named(function: str, parts: list[tuple[str, Doc]]) -> Doc:
    if all(is_attribute(name) for name, _ in parts):
        return Group(f"{function}(", tuple([Keyword(name, doc) for name, doc in parts]))
    items = [Keyword(quoted(name), doc, ": ") for name, doc in parts]
    return Group(f"{function}(", (Group("**{", tuple(items), "}"),))


def list_items(wire: Wire, shared: dict[str, str]) -> list[Doc]:
    """The numbered parts of wiring, those alike as comprehensions."""
    items = list[Doc]()
    plain = list[Doc]()
    for name, part in wire.parts:
        if name == "*":
            items += _items(part, shared)
        elif numbered(name) and not isinstance(bare(part), Join):
            plain.append(made(part, shared))
    growing = _growing(plain)
    return [*items, *([growing] if growing else _repeated(plain))]


def _items(run: Run, shared: dict[str, str]) -> list[Doc]:
    first, rest = made(run.first, shared), made(run.rest, shared)
    times = run.count.text
    if flat(first) == flat(rest):
        return [_repeat(first, f"{times} + 1")]
    return [first, _repeat(rest, times)]


def _repeat(doc: Doc, times: str) -> Doc:
    return Group("*[", (doc, f"for _ in range({times})"), "]", comma=False)


def _repeated(docs: list[Doc]) -> list[Doc]:
    items = list[Doc]()
    for _, alike in groupby(docs, key=flat):
        run = list(alike)
        items += run if len(run) == 1 else [_repeat(run[0], str(len(run)))]
    return items


def _growing(docs: list[Doc]) -> Doc | None:
    """Calls that differ by a number that grows in equal steps, as a comprehension."""
    texts = [re.split(r"((?<![\w.])\d+(?![\w.]))", flat(doc)) for doc in docs]
    columns = list(zip(*texts, strict=False))
    if len(docs) < 3 or len({len(text) for text in texts}) > 1:
        return None
    moving = [i for i, column in enumerate(columns) if len({*column}) > 1]
    if len({columns[i] for i in moving}) != 1 or not all(columns[i][0].isdigit() for i in moving):
        return None
    numbers = [int(text) for text in columns[moving[0]]]
    step = numbers[1] - numbers[0]
    if any(b - a != step for a, b in pairwise(numbers)) or step < 1:
        return None
    call = "".join("n" if i in moving else column[0] for i, column in enumerate(columns))
    loop = f"for n in range({numbers[0]}, {numbers[-1] + step}, {step})"
    return Group("*[", (call, loop), "]", comma=False)
