"""What a spec computes, up to weights and names: equal forms are one function."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeAlias

from netwright.core.graph import Graph
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential, Wiring
from netwright.units.activation import Identity

__all__ = ["Form", "form"]

Form: TypeAlias = tuple[Hashable, ...]
"""What happens to a value, step by step."""


def form(spec: Spec) -> Form:
    """The steps of a spec: those of chains in a row, without `Identity`, and of graphs what their
    output depends on. Units and blocks are steps as they are; so is all wiring that is no chain,
    whose parts count by what they compute.

    >>> from netwright import Conv
    >>> form(Sequential(Conv(8), Sequential(Identity(), Sequential()))) == form(Conv(8))
    True
    """
    if isinstance(spec, Identity):
        return ()
    if isinstance(spec, Sequential):
        return tuple([step for part in spec for step in form(part)])
    if isinstance(spec, Graph):
        return _graph(spec)
    if isinstance(spec, Wiring):
        fields = [getattr(spec, name) for name in spec.field_names if name != "parts"]
        return ((type(spec), *fields, *map(form, spec)),)
    return (spec,)


def _graph(graph: Graph) -> Form:
    """Nodes by number in place of names: those the output depends on, but for `Identity`, which is
    what it reads; as a chain where they are one.
    """
    reads, numbers = graph.reads(), dict[str, Hashable]()
    nodes = list[tuple[Form, tuple[Hashable, ...]]]()
    for name in _alive(reads):
        first, *others = [numbers.get(source, source) for source in reads[name]]
        steps = form(graph.part(name))
        if steps or others:
            numbers[name] = len(nodes)
            nodes.append((steps, (first, *others)))
        else:
            numbers[name] = first
    last = numbers[graph.names[-1]]
    before: list[Hashable] = ["input", *range(len(nodes))]
    reading = [sources for _, sources in nodes]
    if last == before[-1] and reading == [(source,) for source in before[:-1]]:
        return tuple([step for steps, _ in nodes for step in steps])
    return ((Graph, *nodes, last),)


def _alive(reads: dict[str, tuple[str, ...]]) -> list[str]:
    """The nodes that the last depends on, in order."""
    wanted = {next(reversed(reads))}
    for name in reversed(reads):
        if name in wanted:
            wanted.update(reads[name])
    return [name for name in reads if name in wanted]
