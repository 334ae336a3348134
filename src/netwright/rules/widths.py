"""Nets of other widths: those that are a net's own are changed, all others follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from math import gcd, lcm
from typing import Any, cast

from netwright.blocks.lenet import TableConv
from netwright.blocks.mobile import rounded
from netwright.core.classifier import classifiers
from netwright.core.net import Net
from netwright.core.rewrite import Site, below, replaced, rewritten, sites
from netwright.core.spec import Block, Spec, Unit
from netwright.core.wiring import Wiring
from netwright.errors import RuleError, ShapeError, SpecError
from netwright.nets.options import need_counts, need_factors
from netwright.rules.registry import named
from netwright.units.channels import Channels, SelectChannels

__all__ = ["align", "times", "widen", "widened"]

ALIGNED = 8
"""Widths stay multiples of this, where they are."""
NUMBERED = (Channels, SelectChannels, TableConv)
"""Specs that name channels by their numbers."""

Rounding = Callable[[int, int], int]
"""The new width of an old one, a multiple of the second number."""


@named("widen")
def widen(net: Net, factor: float = 2.0) -> Net:
    """Every width and growth of the net's own times `factor`; parameters and MACs grow with
    its square, those of depthwise convolutions with it.

    Widths that follow from the input, such as a transition's or a depthwise convolution's, do so
    still. Widths are rounded to multiples of 8, or of what they have in common where that is
    less; groups stay, unless there is one a channel. The classifier keeps its classes.
    """
    need_factors(factor=factor)
    wider = times(net, factor)
    if wider == net:
        raise RuleError(f"a factor of {factor:g} changes no width of {net.name}: they round to "
                        "what they were, or it has none but the classifier's")  # fmt: skip
    return wider


@named("align")
def align(net: Net, multiple: int = 8) -> Net:
    """Every width and growth of the net's own is rounded up to a multiple of 8, or of another
    number, and of the groups of its convolutions; the classifier stays.
    """
    need_counts(multiple=multiple)
    step = lcm(multiple, *_groups(_growing(net)))
    wider = _fitted(net, lambda width, step: -(-width // step) * step, step)
    if wider == net:
        raise RuleError(f"every width of {net.name} is a multiple of {step} or follows from others")
    return wider


def times(net: Net, factor: float) -> Net:
    """The net with every width of its own times `factor`, rounded."""
    specs = _growing(net)
    step = gcd(lcm(ALIGNED, *_groups(specs)), *_widths(specs))
    return _fitted(net, lambda width, step: rounded(width * factor, step), step)


def widened(net: Net, wider: Callable[[int], int]) -> Net:
    """The net with `wider(n)` channels for every width n of its own (`Spec.own_widths`).

    Blocks stay closed, so that what they make of the input is not changed twice. A width of 1
    is a map of its own, such as a mask, and stays. Convolutions with a group a channel keep
    that. Classifiers keep their classes: a block that ends in one is opened.
    """
    units, whole = _parts(net)
    before = {site.path: site.x[0] for site, _ in whole}
    changed: list[str] = []

    def change(site: Site, spec: Spec) -> Spec:
        if isinstance(spec, NUMBERED):
            raise RuleError(f"{net.name} names channels by their numbers at {site.path}; put a "
                            f"convolution in the place of {type(spec).__name__}")  # fmt: skip
        if site.path in units:
            return spec
        new = _changed(spec, wider, before[site.path], site.x[0])
        if new != spec:
            changed.append(site.path)
        return new

    result = rewritten(net, change, lambda spec: isinstance(spec, Unit | Block))
    opened = {path: unit for path, unit in units.items()
              if any(path.startswith(below(block, "")) for block in changed)}  # fmt: skip
    for path, unit in opened.items():
        result = replaced(result, path, unit)
    return net if opened and _units(result) == _units(net) else result


def _units(net: Net) -> list[tuple[str, Unit]]:
    return [(row.path, row.unit) for row in net.plan()]


def _fitted(net: Net, to: Rounding, step: int) -> Net:
    """The net with every width n of its own changed `to(n, step)`.

    Where that does not fit: to multiples of more than the step, for blocks that divide their
    width by groups; so that doubles stay doubles, for blocks whose end is 4 times as wide as
    another's; by one ratio for all.
    """
    specs = _growing(net)
    widths = _widths(specs)
    coarse = lcm(ALIGNED, step, *_groups(specs))
    common = gcd(*widths) or 1
    base = {width: min(n for n in widths if _odd(n) == _odd(width)) for width in widths}
    ways: list[Callable[[int], int]] = [
        *[lambda n, s=s: to(n, s) for s in dict.fromkeys((step, coarse, 2 * coarse, 4 * coarse))],
        lambda n: n * to(base[n], step) // base[n],
        *[lambda n, s=s: n // common * to(common, s) for s in (step, 1)],
    ]
    faults: list[Exception] = []
    for way in ways:
        try:
            wider = widened(net, way)
        except (RuleError, ShapeError, SpecError) as error:
            faults.append(error)
        else:
            if wider != net or not faults:
                return wider
    raise RuleError(f"{net.name} has no such widths: {faults[0]}")


def _odd(n: int) -> int:
    """The largest odd divisor."""
    return n // (n & -n)


def _changed(spec: Spec, wider: Callable[[int], int], before: int, after: int) -> Spec:
    """A spec, and those in its fields, with other widths; `after` channels arrive for `before`."""

    def change(value: Any, own: bool = False) -> Any:
        if isinstance(value, Spec):
            return _changed(value, wider, before, after)
        if isinstance(value, tuple):
            return tuple([change(item, own) for item in cast("tuple[Any, ...]", value)])
        return wider(value) if own and value > 1 else value

    if isinstance(spec, Wiring):
        return spec.over(tuple([(name, change(spec.part(name))) for name in spec.names]))
    old = dict(zip(spec.field_names, spec.values(), strict=True))
    new = {name: change(value, name in spec.own_widths) for name, value in old.items()}
    if old.get("groups", 1) == before > 1:  # a group for every channel that arrives
        new["groups"] = after
        new |= {"width": old["width"] // before * after} if "width" in old else {}
    elif _a_channel(spec):  # or for every one that is made
        new["groups"] = new["width"]
    return replace(cast("Any", spec), **new)


def _growing(net: Net) -> list[Spec]:
    """Units and blocks of the net, and what their fields hold, but for its classifiers."""
    stays, whole = _parts(net)
    return [inner for site, spec in whole if site.path not in stays for inner in _inside(spec)]


@lru_cache(maxsize=4)
def _parts(net: Net) -> tuple[dict[str, Unit], list[tuple[Site, Spec]]]:
    """The units that say classes, by their paths; and all units and blocks, where they are."""
    plan = net.plan()
    units = {path: plan.row(path).unit for path in classifiers(net)}
    return units, sites(net, lambda spec: isinstance(spec, Unit | Block))


def _inside(value: Any) -> Iterator[Spec]:
    if isinstance(value, Spec):
        yield value
        value = value.values()
    if isinstance(value, tuple):
        for item in cast("tuple[Any, ...]", value):
            yield from _inside(item)


def _widths(specs: list[Spec]) -> set[int]:
    """The widths that are these specs' own."""
    names = [(spec, name) for spec in specs for name in spec.own_widths]
    fields = [getattr(spec, name) for spec, name in names if name in spec.field_names]
    return {width for width in _numbers(fields) if width > 1}


def _numbers(value: Any) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    else:
        for item in value:
            yield from _numbers(item)


def _groups(specs: list[Spec]) -> set[int]:
    """What groups divide widths by: how many they are, or how wide."""
    groups = {getattr(spec, "groups", 1) for spec in specs if not _a_channel(spec)}
    wide = [spec for spec in specs if "group_width" not in spec.own_widths]
    return groups | {getattr(spec, "group_width", 1) for spec in wide}


def _a_channel(spec: Spec) -> bool:
    """Whether there is a group for every channel that is made."""
    return getattr(spec, "groups", 1) in _widths([spec])
