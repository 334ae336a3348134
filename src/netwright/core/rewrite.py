"""Rewrites: match a pattern of specs anywhere in a net, put something else there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from netwright.core.interpret import Shapes, below, output_shape
from netwright.core.kinds import LONGEST
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec, Unit
from netwright.core.text import plain
from netwright.core.wiring import Branches, Sequential, Wiring, bundled, streams
from netwright.errors import RuleError, ShapeError, SpecError, nearest

__all__ = [
    "Pattern",
    "Rule",
    "Site",
    "below",
    "everywhere",
    "matches",
    "need_part",
    "renamed",
    "replaced",
    "rewrite",
    "rewritten",
    "sites",
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
            changed = self.change(net)
        except ShapeError as error:
            raise self._breaks(net, error) from None
        try:
            changed.plan()
        except (ShapeError, SpecError) as error:
            raise self._breaks(net, error) from None
        if changed == net:
            raise RuleError(f"{self.name}: {net.name} is so already, nothing changes")
        return changed

    def _breaks(self, net: Net, error: Exception) -> RuleError:
        return RuleError(f"{self.name} breaks {net.name}: {error}")


@dataclass(frozen=True)
class Site:
    """Where a rule matched: the net, the path in it, the shapes that arrive there."""

    net: Net
    path: str
    xs: tuple[Shape, ...]

    @property
    def x(self) -> Shape:
        """The shape that arrives, the first of several."""
        return self.xs[0]


def everywhere(net: Net, change: Callable[..., Spec | None], *pattern: Pattern) -> Net:
    """The net with `change(site, *matched)` wherever `pattern` matches.

    One pattern matches single specs; several match neighbours in a `Sequential`, which
    become one part with the first one's name. What `change` puts there is not searched
    again; where it returns None nothing happens, where it returns what was there that stays as
    it is, closed; an empty `Sequential` takes a part out of its chain. Blocks are opened only
    where something inside them changes. Raises `RuleError` when nothing changed at all, and
    where what `change` puts there cannot be.

    >>> import netwright as nw
    >>> net = nw.net("lenet5")
    >>> def smooth(site, act):
    ...     return nw.GELU()
    >>> len(everywhere(net, smooth, nw.Tanh).plan().rows) == len(net.plan().rows)
    True
    """
    changed = rewritten(net, change, *pattern)
    if changed is net:
        raise RuleError(f"nothing in {net.name} matches")
    return changed


def rewritten(net: Net, change: Callable[..., Spec | None], *pattern: Pattern) -> Net:
    """What `everywhere` gives, and the net itself where nothing changed."""
    walk = _Rewriter(net, pattern, change)
    try:
        walk(net.spec, "", (net.input,))
    except SpecError as error:
        raise RuleError(f"at {walk.path or 'the net'} of {net.name}: {error}") from None
    return replace(net, spec=walk.specs[""]) if walk.changed else net


def sites(net: Net, pattern: Pattern) -> list[tuple[Site, Spec]]:
    """Where a pattern matches and what is there; what matches is not searched again."""
    places: list[tuple[Site, Spec]] = []

    def look(site: Site, spec: Spec) -> Spec:
        places.append((site, spec))
        return spec

    rewritten(net, look, pattern)
    return places


class _Rewriter(Shapes):
    """Walks with the shapes of the *new* net and keeps the new spec of every path."""

    def __init__(
        self, net: Net, pattern: tuple[Pattern, ...], change: Callable[..., Spec | None]
    ) -> None:
        self.net, self.pattern, self.change = net, pattern, change
        self.specs: dict[str, Spec] = {}
        self.changed: list[tuple[Spec, Spec]] = []
        self.path = ""

    def matched(self, specs: tuple[Spec, ...], path: str, xs: tuple[Shape, ...]) -> Spec | None:
        """What replaces these specs, if they match and the rule wants it."""
        if len(specs) != len(self.pattern) or not all(map(_fits, self.pattern, specs)):
            return None
        new = self.change(Site(self.net, path, xs), *specs)
        if new is None:
            return None
        if len(specs) == 1 and new == specs[0]:
            return specs[0]
        self.changed.append((specs[0], new))
        return new

    def __call__(self, spec: Spec, path: str, xs: tuple[Shape, ...]) -> Shape:
        self.path = path
        new = self.matched((spec,), path, xs)
        if new is not None:
            return self.keep(new, path, xs)
        if isinstance(spec, Block):
            return self.block(spec, path, xs)
        return super().__call__(spec, path, xs)

    def keep(self, spec: Spec, path: str, xs: tuple[Shape, ...]) -> Shape:
        self.specs[path] = spec
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
            self.specs[path] = block
            return y
        if len(self.pattern) == 1:
            self.close(block, path, xs, dict(self.changed[before:]))
        return y

    def close(
        self, block: Block, path: str, xs: tuple[Shape, ...], changed: dict[Spec, Spec]
    ) -> None:
        """Put the block there again if it says the same with fields that are `changed`."""
        values = zip(block.field_names, block.values(), strict=True)
        fields = {name: changed[value] for name, value in values
                  if isinstance(value, Spec) and value in changed}  # fmt: skip
        if not fields:
            return
        try:
            smaller = replace(cast("Any", block), **fields)
            if smaller.expand(*xs) == self.specs[path]:
                self.specs[path] = smaller
                self.changed.append((block, smaller))
        except SpecError:
            return  # its fields cannot say it

    def wiring(self, wiring: Wiring, path: str, xs: tuple[Shape, ...]) -> Shape:
        if isinstance(wiring, Sequential):
            return self.chain(wiring, path, xs)
        y = super().wiring(wiring, path, xs)
        if isinstance(wiring, Branches):
            self.specs.pop(path)  # the join
        self.rebuild(
            wiring, path, [(name, self.specs.pop(below(path, name))) for name in wiring.names]
        )
        return y

    def chain(self, wiring: Sequential, path: str, xs: tuple[Shape, ...]) -> Shape:
        """Part after part, looking for neighbours that match."""
        parts, i, n = list[tuple[str, Spec]](), 0, len(self.pattern)
        while i < len(wiring):
            name, spec = wiring.parts[i]
            where = below(path, name)
            window = tuple([part for _, part in wiring.parts[i : i + n]])
            new = self.matched(window, where, xs) if n > 1 else None
            if new is not None:
                xs = (*streams(self.keep(new, where, xs)),)
                i += n
            else:
                xs = (*streams(self(spec, where, xs)),)
                i += 1
            part = self.specs.pop(where)
            if part == _GONE and spec != _GONE:
                continue
            parts.append((name, part))
        self.rebuild(wiring, path, parts)
        return bundled(xs)

    def rebuild(self, wiring: Wiring, path: str, parts: list[tuple[str, Spec]]) -> None:
        same = len(parts) == len(wiring) and all(wiring.part(name) is part for name, part in parts)
        self.specs[path] = wiring if same else wiring.over(tuple(parts))


_GONE = Sequential()
"""x -> x: says nothing in a chain."""


def _fits(pattern: Pattern, spec: Spec) -> bool:
    if isinstance(pattern, type):
        return type(spec) is pattern
    return pattern(spec)


def replaced(net: Net, path: str, part: Spec) -> Net:
    """The net with another spec at `path`, blocks on the way opened."""

    def change(site: Site, spec: Spec) -> Spec | None:
        return part if site.path == path else None

    old = need_part(net, path)
    if not isinstance(part, Spec):
        raise RuleError(f"{path}: {part!r} is no unit, block or wiring")
    return net if old == part else everywhere(net, change, lambda spec: True)


def need_part(net: Net, path: str) -> Spec:
    """The part at `path`; raises `UnknownName`, with near paths, where there is none."""
    parts = matches(net, lambda spec: True)
    for where, spec in parts:
        if where == path:
            return spec
    raise nearest(f"part of {net.name}", path, [where for where, _ in parts])


def matches(net: Net, pattern: Pattern) -> list[tuple[str, Spec]]:
    """Path and spec of every part that matches, outside in."""
    places: list[tuple[str, Spec]] = []

    def look(site: Site, spec: Spec) -> None:
        places.append((site.path, spec))

    _Rewriter(net, (pattern,), look)(net.spec, "", (net.input,))
    return places


def rewrite(net: Net, *rules: str | Rule) -> Net:
    """The net after every rule in turn; a string names a rule, as `widen:2` does. Its name says
    them all: `resnet50+stem-3x3+widen:2`.
    """
    from netwright.rules.registry import find

    for rule in rules:
        change: object = find(rule) if isinstance(rule, str) else rule
        if not callable(change):
            raise RuleError(f"{change!r} is no rule; wanted a name such as 'widen:2', or nw.rule()")
        after = change(net)
        net = after if after == net or after.name != net.name else renamed(after, _name(rule))
    return net


def renamed(net: Net, change: str) -> Net:
    """The net with a change behind its name, as much of it as a name has room for."""
    name = plain(f"{net.name}+{change}")
    return net.but(name=name if len(name) <= LONGEST else name[: LONGEST - 1] + "…")


def _name(rule: object) -> str:
    """What a rule, or a function that is one, is called."""
    name: object = getattr(rule, "name", getattr(rule, "__name__", type(rule).__name__))
    return rule if isinstance(rule, str) else str(name)
