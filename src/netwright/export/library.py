"""Blocks as classes: one for every kind, with what its instances differ by as parameters."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from dataclasses import replace
from typing import Any

from netwright.core.wiring import Sequential
from netwright.export.classes import class_lines
from netwright.export.params import Param, Params
from netwright.export.tree import (
    REQUIRED,
    Call,
    Composite,
    Form,
    Item,
    Node,
    Pick,
    Use,
    slots,
    walk,
)
from netwright.export.unify import Mismatch, unify

__all__ = ["Library"]


class Library:
    """The classes of a net's blocks, in the order in which they need each other."""

    def __init__(self, trees: list[Node]) -> None:
        self.classes: list[list[str]] = []
        self.forms: list[Form] = []
        self._calls: dict[int, Any] = {}
        items = [part for tree in trees for part in walk(tree) if isinstance(part, Item)]
        self._uses = Counter(map(id, items))
        calls = [part for tree in trees for part in walk(tree) if isinstance(part, Call)]
        origins = [call.form.origin for call in calls if not call.form.name.startswith("nn.")]
        self.layers = [kind for kind in dict.fromkeys(origins) if kind is not None]
        self._names = {kind.__name__ for kind in self.layers}
        kinds: dict[tuple[str, int], list[Item]] = {}
        for item, level in _levelled(trees):
            kinds.setdefault((type(item.block).__name__, level), []).append(item)
        for (kind, _), items in sorted(_merged(kinds).items(), key=lambda entry: entry[0][1]):
            self._write(kind, items)

    def resolved(self, tree: Any) -> Any:
        """The tree with calls of the written classes in the place of blocks."""
        if isinstance(tree, Item):
            return self._calls[id(tree)]
        if isinstance(tree, Use):
            return replace(tree, body=self.resolved(tree.body))
        if isinstance(tree, Composite):
            parts = tuple([(name, self.resolved(part)) for name, part in tree.parts])
            return replace(tree, parts=parts)
        return tree

    def _write(self, kind: str, items: list[Item]) -> None:
        """The class or classes of one kind of block."""
        unique: dict[Any, list[Item]] = {}
        for item in items:
            unique.setdefault((item.block, item.xs), []).append(item)
        if len(unique) == 1 and items[0].body.is_module and self._once(items):
            self._calls |= {id(item): self.resolved(item.body) for item in items}
            return
        groups = _alike([same[0] for same in unique.values()], self.resolved)
        names = _names(kind, groups)
        for name, group in zip(names, groups, strict=True):
            calls = self._class(self.free(name), group)
            for item, call in zip(group, calls, strict=True):
                for same in unique[item.block, item.xs]:
                    self._calls[id(same)] = call

    def _once(self, items: list[Item]) -> bool:
        """Whether a block stands at one place only, so that it needs no class."""
        return all(self._uses[id(item)] == 1 for item in items)

    def free(self, name: str, ending: str = "") -> str:
        """A name that no class has yet."""
        stem = f"{name}_" if name[-1].isdigit() and not ending else name
        names = (name, *[f"{stem}{ending or i}" for i in range(2, 1000)])
        unused = next(name for name in names if name not in self._names)
        self._names.add(unused)
        return unused

    def _class(self, name: str, items: list[Item]) -> list[Call]:
        pattern = unify([self.resolved(item.body) for item in items])
        params = Params(_candidates(items), [item.channels for item in items])
        params.fill(pattern)
        used = params.ordered
        stars = len({len(item.xs) for item in items}) > 1
        self.classes.append(class_lines(name, _about(items[0]), pattern, used, stars))
        form = Form(
            name,
            tuple([(param.name, param.default) for param in used]),
            keywords=frozenset([param.name for param in used if param.keyword]),
        )
        self.forms.append(form)
        return [Call(form, tuple([param.values[i] for param in used]), item.outputs)
                for i, item in enumerate(items)]  # fmt: skip


def _levelled(trees: list[Node]) -> list[tuple[Item, int]]:
    """Every block once, and how deep blocks are nested in it."""
    levels: dict[int, int] = {}
    deep = list[tuple[Item, int]]()

    def look(tree: Node) -> int:
        if isinstance(tree, Item):
            if id(tree) not in levels:
                levels[id(tree)] = 1 + look(tree.body)
                deep.append((tree, levels[id(tree)]))
            return levels[id(tree)]
        return max(map(look, tree.inner), default=0)

    for tree in trees:
        look(tree)
    return deep


def _merged(kinds: dict[tuple[str, int], list[Item]]) -> dict[tuple[str, int], list[Item]]:
    """Blocks of a kind together, at their deepest level, unless the kind is nested in itself."""
    merged: dict[tuple[str, int], list[Item]] = {}
    for kind in dict.fromkeys(name for name, _ in kinds):
        levels = [level for name, level in kinds if name == kind]
        items = [item for level in levels for item in kinds[kind, level]]
        nested = any(
            type(part.block).__name__ == kind
            for item in items for part in walk(item.body) if isinstance(part, Item)
        )  # fmt: skip
        if nested:
            merged |= {(kind, level): kinds[kind, level] for level in levels}
        else:
            merged[kind, max(levels)] = items
    return merged


def _alike(items: list[Item], resolved: Any) -> list[list[Item]]:
    """The items in groups that have a pattern in common, in the order of their first ones."""
    bodies = {id(item): resolved(item.body) for item in items}
    groups = list[list[Item]]()
    for item in sorted(items, key=lambda item: -_size(bodies[id(item)])):
        for group in groups:
            try:
                _checked([bodies[id(group[0])], bodies[id(item)]], group[0], item)
            except Mismatch:
                continue
            group.append(item)
            break
        else:
            groups.append([item])
    order = {id(item): i for i, item in enumerate(items)}
    whole = list[list[Item]]()
    for group in groups:
        group.sort(key=lambda item: order[id(item)])
        try:
            unify([bodies[id(item)] for item in group])
        except Mismatch:
            whole += [[item] for item in group]
        else:
            whole.append(group)
    return sorted(whole, key=lambda group: order[id(group[0])])


def _checked(bodies: list[Any], a: Item, b: Item) -> None:
    pattern = unify(bodies)
    if sum(isinstance(slot, Pick) for slot in slots(pattern)) > 1:
        raise Mismatch  # a class whose parts are all handed in says nothing
    first = pattern.parts[0][1] if isinstance(pattern, Composite) and pattern.parts else None
    if not isinstance(pattern, Composite) or (
        len(a.xs) != len(b.xs) and not (isinstance(pattern.wiring, Sequential) and first)
    ):
        raise Mismatch


def _size(tree: Any) -> int:
    return sum(1 for _ in walk(tree))


def _candidates(items: list[Item]) -> list[Param]:
    """What may become a parameter: the channels of the inputs, the fields of the blocks."""
    widths = [Param("in_channels", [item.xs[0][0] for item in items])]
    several = max(len(item.xs) for item in items)
    if several > 1 and all(len(item.xs) == several for item in items):
        widths = [
            Param(f"in_channels{i}", [item.xs[i][0] for item in items]) for i in range(several)
        ]
    fields = list[Param]()
    blocks = [item.block for item in items]
    for name in blocks[0].field_names:
        values = [getattr(block, name) for block in blocks]
        default = blocks[0].defaults.get(name, REQUIRED)
        if all(_is_plain(value) for value in values) and len(set(values)) > 1:
            fields.append(Param(name, values, default if default in values else REQUIRED))
    return widths + fields if several == 1 else fields + widths


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float)


def _names(kind: str, groups: list[list[Item]]) -> list[str]:
    """A name a group: the block's, and of variants what their field has in common, such as
    the name of an operation.
    """
    names = [kind] * len(groups)
    for argument in groups[0][0].block.field_names if len(groups) > 1 else ():
        values = [[getattr(item.block, argument) for item in group] for group in groups]
        if all(isinstance(value, str) for seen in values for value in seen):
            longer = [kind + _camel(_beginning(seen)) for seen in values]
            names = longer if len({*longer}) == len(longer) else names
        if argument == "stride" and all(len({*seen}) == 1 for seen in values):
            strides = [seen[0] for seen in values]
            if len({*strides}) == 2 == len(strides) and 1 in strides:
                names = [kind if stride == 1 else f"{kind}Down" for stride in strides]
    return names


def _beginning(words: list[str]) -> str:
    """What all words begin with."""
    alike = [len({*letters}) == 1 for letters in zip(*words, strict=False)]
    return words[0][: alike.index(False) if False in alike else len(alike)]


def _camel(text: str) -> str:
    return "".join(word.capitalize() for word in re.split(r"\W+|_", text) if word)


def _about(item: Item) -> str:
    """The first paragraph of what a block says of itself."""
    return (inspect.getdoc(type(item.block)) or "").partition("\n\n")[0]
