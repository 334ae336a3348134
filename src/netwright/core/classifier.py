"""The classifier of a net: which units say the classes, and the net with another number of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from math import prod
from typing import Any

from netwright.core.graph import Tap
from netwright.core.net import Net
from netwright.core.plan import Row
from netwright.core.rewrite import Site, everywhere, matches
from netwright.core.spec import Spec, Unit
from netwright.errors import RuleError

__all__ = ["classifiers", "reclassed", "rewidthed"]


def classifiers(net: Net) -> list[str]:
    """Paths of the units that say the classes: the one whose product the net returns, and
    that of every tap. Empty where the net returns a sum of branches.

    Where that unit makes larger maps of as many channels, as a fully convolutional net's
    transposed convolutions do, the scores it grows, and those that are added on the way, come
    behind it.
    """
    rows = net.plan().rows
    ends = [[i for i, row in enumerate(rows) if not row.auxiliary][-1:]]
    for tap, _ in matches(net, Tap):
        head = f"{tap}.head".removeprefix(".")
        ends.append([i for i, r in enumerate(rows) if f"{r.path}.".startswith(f"{head}.")][-1:])
    paths: list[str] = []
    for end in chain(*ends):
        i = _product(rows, end)
        if i >= 0 and len(rows[i].sources) == 1:
            paths += _scores(rows, i)
    return list(dict.fromkeys(paths))


def _product(rows: tuple[Row, ...], i: int) -> int:
    """The row that row `i` has its numbers from: the next one back that multiplies or joins."""
    while i >= 0 and rows[i].macs == 0 and len(rows[i].sources) == 1:
        i = rows[i].sources[0]
    return i


def _scores(rows: tuple[Row, ...], i: int) -> list[str]:
    """The path of row `i`, and those of the scores that it makes larger or adds."""
    row = rows[i]
    own = [row.path] if len(row.sources) == 1 else []
    grows = row.input[0] == row.output[0] and prod(row.input) < prod(row.output)
    if own and not grows:
        return own
    before = [_product(rows, source) for source in row.sources]
    alike = [j for j in before if j >= 0 and rows[j].output[0] == row.output[0]]
    return own + [path for j in alike for path in _scores(rows, j)]


def rewidthed(spec: Spec, width: int) -> Spec | None:
    """The unit or block with another width, its own or that of the unit it reweights; None
    where it has none.
    """
    fields: Any = spec
    if "width" in spec.field_names:
        return replace(fields, width=width)
    of = rewidthed(fields.of, width) if "of" in spec.field_names else None
    return replace(fields, of=of) if of else None


def reclassed(net: Net, classes: int) -> Net:
    """The net with `classes` outputs of its classifier and of every auxiliary head."""
    paths = classifiers(net)
    if not paths:
        raise RuleError(f"{net.name} has no classifier: it ends in a sum of branches")
    units = {row.path: row.unit for row in net.plan() if row.path in paths}
    wider: dict[str, Spec] = {}
    for path, unit in units.items():
        new = rewidthed(unit, classes)
        if new is None:
            raise RuleError(f"{net.name} ends in {unit!r}, which has no width; give another head")
        wider[path] = new

    def change(site: Site, unit: Spec) -> Spec | None:
        return wider.get(site.path)

    return net if wider == units else everywhere(net, change, lambda spec: isinstance(spec, Unit))
