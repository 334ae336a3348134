"""Rewrites: match a pattern of specs anywhere in a net, put something else there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from netwright.core.graph import Tap
from netwright.core.interpret import Shapes, output_shape
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec, Unit
from netwright.core.wiring import Branches, Sequential, Wiring, bundled, streams
from netwright.errors import RuleError, ShapeError, nearest

__all__ = [
    "Pattern",
    "Rule",
    "Site",
    "classifiers",
    "everywhere",
    "matches",
    "need_part",
    "reclassed",
    "replaced",
    "rewrite",
]

Pattern = type[Spec] | Callable[[Spec], bool]
"""A spec class, or a question asked of a spec."""


@dataclass(frozen=True)
class Rule:
    """A named rewrite of whole nets; `change` raises `RuleError` where it does not apply."""

    name: str
    about: str
    change: Callable[[Net], Net]

    def __call__(self, net: Net) -> Net:
        """The net after this rule, planned once so that it is known to fit."""
        try:
            made = self.change(net)
            made.plan()
        except ShapeError as error:
            raise RuleError(f"{self.name} breaks {net.name}: {error}") from None
        return made


@dataclass(frozen=True)
class Site:
    """Where a rule matched: the net, the path in it, the shape that arrives there."""

    net: Net
    path: str
    x: Shape


def everywhere(net: Net, change: Callable[..., Spec | None], *pattern: Pattern) -> Net:
    """The net with `change(site, *matched)` wherever `pattern` matches.

    One pattern matches single specs; several match neighbours in a `Sequential`, which
    become one part with the first one's name. What `change` puts there is not searched
    again; where it returns None nothing happens, where it returns what was there that stays as
    it is, closed. Blocks are opened only where something
    inside them changes. Raises `RuleError` when nothing changed at all.

    >>> import netwright as nw
    >>> net = nw.net("lenet5")
    >>> def smooth(site, act):
    ...     return nw.GELU()
    >>> len(everywhere(net, smooth, nw.Tanh).plan().rows) == len(net.plan().rows)
    True
    """
    walk = _Rewriter(net, pattern, change)
    walk(net.spec, "", (net.input,))
    if not walk.changed:
        raise RuleError(f"nothing in {net.name} matches")
    return replace(net, spec=walk.made[""])


class _Rewriter(Shapes):
    """Walks with the shapes of the *new* net and keeps the new spec of every path."""

    def __init__(
        self, net: Net, pattern: tuple[Pattern, ...], change: Callable[..., Spec | None]
    ) -> None:
        self.net, self.pattern, self.change = net, pattern, change
        self.made: dict[str, Spec] = {}
        self.changed: list[str] = []

    def matched(self, specs: tuple[Spec, ...], path: str, xs: tuple[Shape, ...]) -> Spec | None:
        """What replaces these specs, if they match and the rule wants it."""
        if len(specs) != len(self.pattern) or not all(map(_fits, self.pattern, specs)):
            return None
        new = self.change(Site(self.net, path, xs[0]), *specs)
        if new is None:
            return None
        if len(specs) == 1 and new == specs[0]:
            return specs[0]
        self.changed.append(path)
        return new

    def __call__(self, spec: Spec, path: str, xs: tuple[Shape, ...]) -> Shape:
        new = self.matched((spec,), path, xs)
        if new is not None:
            return self.keep(new, path, xs)
        if isinstance(spec, Block):
            return self.block(spec, path, xs)
        return super().__call__(spec, path, xs)

    def keep(self, spec: Spec, path: str, xs: tuple[Shape, ...]) -> Shape:
        self.made[path] = spec
        return output_shape(spec, *xs, path=path)

    def unit(self, unit: Unit, path: str, xs: tuple[Shape, ...]) -> Shape:
        return self.keep(unit, path, xs)

    def block(self, block: Block, path: str, xs: tuple[Shape, ...]) -> Shape:
        """The block itself where nothing inside it changes, or where changing its fields
        says the same; else what it expands to, changed.
        """
        body = self.expand(block, path, xs)
        before = len(self.changed)
        y = self(body, path, xs)
        if len(self.changed) == before:
            self.made[path] = block
            return y
        fields = {name: self._field(getattr(block, name), path, xs) for name in block.field_names}
        smaller = type(block)(**fields)
        if smaller != block and smaller.expand(*xs) == self.made[path]:
            self.made[path] = smaller
        return y

    def _field(self, value: Any, path: str, xs: tuple[Shape, ...]) -> Any:
        if (
            not isinstance(value, Spec)
            or len(self.pattern) != 1
            or not _fits(self.pattern[0], value)
        ):
            return value
        return self.change(Site(self.net, path, xs[0]), value) or value

    def wiring(self, wiring: Wiring, path: str, xs: tuple[Shape, ...]) -> Shape:
        if isinstance(wiring, Sequential):
            return self.chain(wiring, path, xs)
        y = super().wiring(wiring, path, xs)
        if isinstance(wiring, Branches):
            self.made.pop(path)  # the join
        self.rebuild(
            wiring, path, [(name, self.made.pop(_below(path, name))) for name in wiring.names]
        )
        return y

    def chain(self, wiring: Sequential, path: str, xs: tuple[Shape, ...]) -> Shape:
        """Part after part, looking for neighbours that match."""
        parts, i, n = list[tuple[str, Spec]](), 0, len(self.pattern)
        while i < len(wiring):
            name, spec = wiring.parts[i]
            where = _below(path, name)
            window = tuple([part for _, part in wiring.parts[i : i + n]])
            new = self.matched(window, where, xs) if n > 1 else None
            if new is not None:
                xs = (*streams(self.keep(new, where, xs)),)
                i += n
            else:
                xs = (*streams(self(spec, where, xs)),)
                i += 1
            parts.append((name, self.made.pop(where)))
        self.rebuild(wiring, path, parts)
        return bundled(xs)

    def rebuild(self, wiring: Wiring, path: str, parts: list[tuple[str, Spec]]) -> None:
        same = len(parts) == len(wiring) and all(wiring.part(name) is part for name, part in parts)
        self.made[path] = wiring if same else wiring.over(tuple(parts))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _fits(pattern: Pattern, spec: Spec) -> bool:
    if isinstance(pattern, type):
        return type(spec) is pattern
    return pattern(spec)


def replaced(net: Net, path: str, part: Spec) -> Net:
    """The net with another spec at `path`, blocks on the way opened."""

    def change(site: Site, spec: Spec) -> Spec | None:
        return part if site.path == path else None

    need_part(net, path)
    if not isinstance(part, Spec):
        raise RuleError(f"{path}: {part!r} is no unit, block or wiring")
    try:
        return everywhere(net, change, lambda spec: True)
    except RuleError:
        return net  # it was there already


def need_part(net: Net, path: str) -> None:
    """Raise `UnknownName`, with near paths, unless there is a part at `path`."""
    paths = [found for found, _ in matches(net, lambda spec: True)]
    if path not in paths:
        raise nearest(f"part of {net.name}", path, paths)


def classifiers(net: Net) -> list[str]:
    """Paths of the units that say the classes: the one whose product the net returns, and
    that of every tap. Empty where the net returns a sum of branches.
    """
    rows = net.plan().rows
    ends = [[i for i, row in enumerate(rows) if not row.auxiliary][-1:]]
    for tap, _ in matches(net, Tap):
        head = f"{tap}.head".removeprefix(".")
        ends.append([i for i, r in enumerate(rows) if f"{r.path}.".startswith(f"{head}.")][-1:])
    found: list[str] = []
    for end in chain(*ends):
        i = end
        while i >= 0 and rows[i].macs == 0 and len(rows[i].sources) == 1:
            i = rows[i].sources[0]
        if i >= 0 and len(rows[i].sources) == 1:
            found.append(rows[i].path)
    return [*dict.fromkeys(found)]


def matches(net: Net, pattern: Pattern) -> list[tuple[str, Spec]]:
    """Path and spec of every part that matches, outside in."""
    found: list[tuple[str, Spec]] = []

    def look(site: Site, spec: Spec) -> None:
        found.append((site.path, spec))

    _Rewriter(net, (pattern,), look)(net.spec, "", (net.input,))
    return found


def reclassed(net: Net, classes: int) -> Net:
    """The net with `classes` outputs of its classifier and of every auxiliary head."""
    paths = classifiers(net)
    if not paths:
        raise RuleError(f"{net.name} has no classifier: it ends in a sum of branches")
    for path in paths:
        unit = net.plan().row(path).unit
        if "width" not in unit.field_names:
            raise RuleError(f"{net.name} ends in {unit!r}, which has no width; give another head")
        net = replaced(net, path, replace(unit, width=classes))  # type: ignore[call-arg]
    return net


def rewrite(net: Net, *rules: str | Rule) -> Net:
    """The net after every rule in turn; a string names a rule, as `widen:2` does."""
    from netwright.rules.registry import find

    for rule in rules:
        change: object = find(rule) if isinstance(rule, str) else rule
        if not callable(change):
            raise RuleError(f"{change!r} is no rule; wanted a name such as 'widen:2', or nw.rule()")
        net = change(net)
    return net
