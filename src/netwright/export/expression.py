"""Modules as expressions that make them."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import groupby, pairwise, takewhile
from typing import Any

from netwright.core.text import quoted
from netwright.export.layout import Brackets, Chain, Doc, If, Keyword, flat
from netwright.export.tree import (
    REQUIRED,
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
)

__all__ = [
    "atom",
    "expression",
    "is_list",
    "joined",
    "leading",
    "list_items",
    "literal",
    "module_list",
]

MOST_POSITIONS = 7
"""So many arguments at most are written without their names."""


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


def expression(node: Any, shared: dict[str, str]) -> Doc:
    """The expression of a module; `shared` are variables of modules with several uses."""
    if isinstance(node, Call):
        return _call(node, shared)
    if isinstance(node, Pick):
        return node.text
    if isinstance(node, Use):
        return shared.get(node.key) or expression(node.body, shared)
    if isinstance(node, Option):
        return If(expression(node.node, shared), node.present.text, "nn.Identity()")
    if isinstance(node, Repeat):
        return Brackets("nn.Sequential(", tuple(_items(node, shared)))
    assert isinstance(node, Composite)
    return _chain(node, shared) if node.is_module else _group(node, shared)


def _call(call: Call, shared: dict[str, str]) -> Doc:
    items, named = list[Doc](), False
    for (name, default), value in zip(call.form.params, call.args, strict=True):
        if type(value) is type(default) and value == default:
            continue
        if isinstance(default, float) and isinstance(value, int) and value == default:
            continue
        doc = expression(value, shared) if _is_node(value) else literal(value)
        named = named or default is not REQUIRED or name in call.form.keywords
        named = named or len(items) == MOST_POSITIONS
        items.append(Keyword(name, doc) if named else doc)
    return Brackets(f"{call.form.name}(", tuple(items))


def _is_node(value: Any) -> bool:
    return isinstance(value, Node) and not isinstance(value, Slot)


def _chain(composite: Composite, shared: dict[str, str]) -> Doc:
    if is_list(composite):
        return Brackets("nn.Sequential(", tuple(list_items(composite, shared)))
    parts = [(name, part) for name, part in composite.parts if not part.is_free]
    return _named("chain", [(name, expression(part, shared)) for name, part in parts])


def _group(composite: Composite, shared: dict[str, str]) -> Doc:
    parts = [(name, part) for name, part in composite.parts if part.is_stored]
    if is_list(composite):
        return module_list("nn.ModuleList(", list_items(composite, shared))
    return _named("group", [(name, expression(part, shared)) for name, part in parts])


def module_list(head: str, items: list[Doc]) -> Doc:
    """A call of a list of modules."""
    only = items[0] if len(items) == 1 else None
    if isinstance(only, Brackets) and only.head == "*[":
        return Brackets(head, (replace(only, head="["),))
    return Brackets(head, (Brackets("[", tuple(items), "]"),))


def is_list(composite: Composite) -> bool:
    """Whether the parts of wiring are those of a list: as many as there are, or counted."""
    names = _modules(composite)
    return names == ["*"] or is_counted(names)


def _modules(composite: Composite) -> list[str]:
    """The names of all parts but operators."""
    return [name for name, part in composite.parts if not part.is_term]


def leading(composite: Composite) -> list[str]:
    """The parts that a class hands to its list, before those that it names; none where numbers
    have gaps or stand elsewhere.
    """
    names = _modules(composite)
    first = list(takewhile(lambda name: numbered(name) or name == "*", names))
    gaps = first != ["*"] and not is_counted(first)
    if gaps or any(map(numbered, names[len(first) :])):
        return []
    return first if any(part.is_stored for name, part in composite.parts if name in first) else []


def _named(function: str, parts: list[tuple[str, Doc]]) -> Doc:
    if all(is_attribute(name) for name, _ in parts):
        return Brackets(f"{function}(", tuple([Keyword(name, doc) for name, doc in parts]))
    items = [Keyword(quoted(name), doc, ": ") for name, doc in parts]
    return Brackets(f"{function}(", (Brackets("**{", tuple(items), "}"),))


def list_items(composite: Composite, shared: dict[str, str]) -> list[Doc]:
    """The numbered parts of wiring, those alike as comprehensions."""
    items = list[Doc]()
    plain = list[Doc]()
    for name, part in composite.parts:
        if name == "*":
            items += _items(part, shared)
        elif numbered(name) and not part.is_term:
            plain.append(expression(part, shared))
    growing = _growing(plain)
    return [*items, *([growing] if growing else _repeated(plain))]


def _items(run: Repeat, shared: dict[str, str]) -> list[Doc]:
    first, rest = expression(run.first, shared), expression(run.rest, shared)
    times = run.count.text
    if flat(first) == flat(rest):
        return [_repeat(first, f"{times} + 1")]
    return [first, _repeat(rest, times)]


def _repeat(doc: Doc, times: str) -> Doc:
    return Brackets("*[", (doc, f"for _ in range({times})"), "]", comma=False)


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
    return Brackets("*[", (call, loop), "]", comma=False)


def joined(join: Operator, xs: list[Doc]) -> Doc:
    """The expression of an operator between values."""
    if join.kind == "cat":
        maps = [x for x, one in zip(xs, join.stretch, strict=True) if not one]
        whole = [
            f"{atom(x)}.expand(-1, -1, *{atom(maps[0])}.shape[2:])" if one else x
            for x, one in zip(xs, join.stretch, strict=True)
        ]
        return Brackets("torch.cat(", (Brackets("[", tuple(whole), "]"), "1"))
    whole = [
        f"{atom(x)}[..., {', '.join(['None'] * axes)}]" if axes else x
        for x, axes in zip(xs, join.stretch, strict=True)
    ]
    if join.kind == "mean":
        return Chain((Chain(tuple(whole), "+") if len(whole) == 1 else
                      Brackets("(", (Chain(tuple(map(_operand, whole)), "+"),), ")", comma=False),
                      str(len(whole))), "/")  # fmt: skip
    if len(whole) == 1:
        return whole[0]
    if join.kind == "*":
        return Chain(tuple([atom(x) for x in whole]), "*")
    first = _operand(whole[0]) if isinstance(whole[0], If) else whole[0]
    return Chain((first, *map(_operand, whole[1:])), "+")


def _operand(x: Doc) -> Doc:
    return f"({flat(x)})" if isinstance(x, Chain | If) else x


def atom(x: Doc) -> Doc:
    """An expression that something can be asked of: a sum in brackets."""
    return f"({flat(x)})" if isinstance(x, Chain | If) else x if isinstance(x, str) else flat(x)
