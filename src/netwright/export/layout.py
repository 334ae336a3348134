"""Expressions on lines of at most 100 characters, broken as ruff and black break them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["WIDTH", "Brackets", "Chain", "Doc", "If", "Keyword", "flat", "laid", "statement"]

WIDTH = 100


@dataclass(frozen=True)
class Brackets:
    """Items between brackets: a call, a list; with `comma` they end in one when broken."""

    head: str
    items: tuple[Doc, ...]
    tail: str = ")"
    comma: bool = True


@dataclass(frozen=True)
class Chain:
    """Operands between operators: `a + b + c`; a broken line begins with the operator."""

    items: tuple[Doc, ...]
    operator: str


@dataclass(frozen=True)
class If:
    """One of two expressions: `this if condition else that`."""

    this: Doc
    condition: str
    that: Doc


@dataclass(frozen=True)
class Keyword:
    """`name=value`, or in a dict `"name": value`."""

    name: str
    value: Doc
    sign: str = "="


Doc: TypeAlias = str | Brackets | Chain | If | Keyword


def flat(doc: Doc) -> str:
    """The expression on one line."""
    if isinstance(doc, Brackets):
        return doc.head + (", " if doc.comma else " ").join(map(flat, doc.items)) + doc.tail
    if isinstance(doc, Chain):
        return f" {doc.operator} ".join(map(flat, doc.items))
    if isinstance(doc, If):
        return f"{flat(doc.this)} if {doc.condition} else {flat(doc.that)}"
    return doc if isinstance(doc, str) else f"{doc.name}{doc.sign}{flat(doc.value)}"


def laid(doc: Doc, indent: int, before: str = "", after: str = "") -> list[str]:
    """The expression on as many lines as it takes, between two texts."""
    pad = " " * indent
    line = pad + before + flat(doc) + after
    if len(line) <= WIDTH or isinstance(doc, str):
        return [line]
    if isinstance(doc, Keyword):
        return laid(doc.value, indent, f"{before}{doc.name}{doc.sign}", after)
    if isinstance(doc, Brackets):
        return [pad + before + doc.head, *_inner(doc, indent + 4), pad + doc.tail + after]
    if isinstance(doc, Chain):
        rows = [("", doc.items[0]), *[(f"{doc.operator} ", item) for item in doc.items[1:]]]
    else:
        rows = [("", doc.this), (f"if {doc.condition}", ""), ("else ", doc.that)]
    lines = [laid(item, indent, before * (not i) + word, after * (i == len(rows) - 1))
             for i, (word, item) in enumerate(rows)]  # fmt: skip
    return [line for lines in lines for line in lines]


def _inner(doc: Brackets, indent: int) -> list[str]:
    line = " " * indent + (", " if doc.comma else " ").join(map(flat, doc.items))
    if len(line) <= WIDTH:
        return [line]
    ending = "," if doc.comma else ""
    return [line for item in doc.items for line in laid(item, indent, "", ending)]


def statement(before: str, doc: Doc, indent: int) -> list[str]:
    """`x = ...` or `return ...`; brackets around what breaks without any."""
    if len(" " * indent + before + flat(doc)) <= WIDTH or not isinstance(doc, Chain | If):
        return laid(doc, indent, before)
    pad = " " * indent
    inner = flat(doc)
    if indent + 4 + len(inner) <= WIDTH:
        return [f"{pad}{before}(", f"{pad}    {inner}", f"{pad})"]
    return [f"{pad}{before}(", *laid(doc, indent + 4), f"{pad})"]
