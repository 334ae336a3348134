"""What a spec computes, up to weights and names: equal forms are one function."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeAlias

from netwright.core.graph import Graph
from netwright.core.join import Add, Mul
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential, Wiring
from netwright.space.canonical import Edges, canonical
from netwright.units.activation import Identity
from netwright.units.mean_join import Mean

__all__ = ["Form", "form"]

Form: TypeAlias = tuple[Hashable, ...]
"""What happens to a value, step by step."""
COMMUTING = (Add, Mul, Mean)
"""Joins that do not care which of their inputs is the first."""


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
    """The nodes that the output depends on, but for `Identity`, which is what it reads, in one form
    for all names and orders of them; as a chain where they are one.
    """
    reads = graph.reads()
    alive = _alive(reads)
    inputs = sorted({source for name in alive for source in reads[name]} - {*reads})
    states = {name: state for state, name in enumerate(inputs)}
    steps, sources = list[Form](), list[tuple[int, ...]]()
    for name in alive:
        first, *others = [states[source] for source in reads[name]]
        own = form(graph.part(name))
        states[name] = first
        if own or others:
            states[name] = len(inputs) + len(steps)
            steps.append(own)
            sources.append((first, *others))
    last = states[graph.names[-1]]
    chained = inputs == ["input"] and last == len(steps)
    if chained and sources == [(state,) for state in range(len(steps))]:
        return tuple([step for own in steps for step in own])
    nodes = list(map(_edges, steps, sources))
    return ((Graph, *inputs, *canonical(nodes, [last], len(inputs))),)


def _edges(steps: Form, sources: tuple[int, ...]) -> Edges:
    """What a node reads, each source by its place where that matters."""
    if isinstance(next(iter(steps), None), COMMUTING):
        return tuple([(repr(steps), source) for source in sources])
    return tuple([(f"{place} {steps!r}", source) for place, source in enumerate(sources)])


def _alive(reads: dict[str, tuple[str, ...]]) -> list[str]:
    """The nodes that the last depends on, in order."""
    wanted = {next(reversed(reads))}
    for name in reversed(reads):
        if name in wanted:
            wanted.update(reads[name])
    return [name for name in reads if name in wanted]
