"""One form for all numberings of a small graph: two graphs are isomorphic if these are equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

__all__ = ["Dag", "Edges", "canonical", "placed", "pruned"]

Edges: TypeAlias = tuple[tuple[str, int], ...]
"""What a node reads: (operation, state) an edge, in any order."""
Dag: TypeAlias = tuple[tuple[Edges, ...], tuple[int, ...]]
"""The edges of every node, and the states that are the output. States 0, 1, ... are the inputs,
then come the nodes, each of which reads states before it."""


def canonical(nodes: Sequence[Edges], output: Sequence[int], inputs: int = 1) -> Dag:
    """The graph with its nodes in the one order, of all that are possible, whose text is least.

    Nodes are placed one by one; of those whose sources are all placed the next is the one that
    reads least, compared by sorted (operation, state). Where several read the same every one of
    them is tried, but for twins, which the same nodes read alike, so that the form is exact. The
    output is a set that may hold a state twice.

    nodes: what every node reads
    output: the states that are put together at the end
    inputs: how many states the graph is given; they keep their numbers

    >>> chain = (("conv", 0),), (("pool", 0),), (("conv", 2),)
    >>> canonical(chain, (1, 3))
    (((('conv', 0),), (('pool', 0),), (('conv', 2),)), (1, 3))
    >>> other = (("pool", 0),), (("conv", 1),), (("conv", 0),)
    >>> canonical(other, (2, 3)) == canonical(chain, (1, 3))
    True
    """
    readers = _readers(nodes, output, inputs)
    orders: list[dict[int, int]] = [{state: state for state in range(inputs)}]
    placed: list[Edges] = []
    for state in range(inputs, inputs + len(nodes)):
        least: Edges | None = None
        longer: list[dict[int, int]] = []
        for order in orders:
            tied: set[tuple[tuple[str, int], ...]] = set()
            for node, edges in enumerate(nodes, inputs):
                if node in order or any(source not in order for _, source in edges):
                    continue
                reads = tuple(sorted([(name, order[source]) for name, source in edges]))
                if least is None or reads < least:
                    least, longer, tied = reads, [], set()
                if reads == least and readers[node] not in tied:
                    tied.add(readers[node])
                    longer.append({**order, node: state})
        if least is None:
            raise ValueError(f"the nodes {tuple(nodes)!r} read states that are not there before")
        orders = longer
        placed.append(least)
    return tuple(placed), min(tuple(sorted([order[state] for state in output])) for order in orders)


def _readers(
    nodes: Sequence[Edges], output: Sequence[int], inputs: int
) -> dict[int, tuple[tuple[str, int], ...]]:
    """State -> who reads it and how; -1 is the output. Nodes alike in this and in what they read
    are twins: exchanging them changes nothing.
    """
    readers: dict[int, list[tuple[str, int]]] = {s: [] for s in range(inputs + len(nodes))}
    for node, edges in enumerate(nodes, inputs):
        for name, source in edges:
            readers[source].append((name, node))
    for state in output:
        readers[state].append(("", -1))
    return {state: tuple(sorted(reads)) for state, reads in readers.items()}


def pruned(
    nodes: Sequence[Edges],
    output: Sequence[int],
    inputs: int = 1,
    *,
    zero: str = "none",
    idle: str = "skip_connect",
) -> Dag | None:
    """The graph without what its output does not depend on, for nodes that sum their edges; None
    where it depends on nothing.

    Edges of operation `zero` go, then nodes without edges and edges from them; a node whose only
    edge is `idle` is its source; what nobody reads goes. The order of the rest stays.

    >>> pruned([(("none", 0),), (("conv", 0), ("conv", 1)), (("skip_connect", 2),)], [3])
    (((('conv', 0),),), (1,))
    """
    name: dict[int, int] = {state: state for state in range(inputs)}
    kept: dict[int, Edges] = {}
    for node, edges in enumerate(nodes, inputs):
        live = tuple([(op, name[source]) for op, source in edges if op != zero and source in name])
        if len(live) == 1 and live[0][0] == idle:
            name[node] = live[0][1]
        elif live:
            name[node], kept[node] = node, live
    ends = [name[state] for state in output if state in name]
    read = Counter(ends)
    for node in reversed(kept):
        if read[node]:
            read.update([source for _, source in kept[node]])
    left = [node for node in kept if read[node]]
    place = {state: state for state in range(inputs)} | {s: inputs + i for i, s in enumerate(left)}
    alive = tuple([tuple([(op, place[source]) for op, source in kept[node]]) for node in left])
    return (alive, tuple([place[state] for state in ends])) if ends else None


def placed(dag: Dag, nodes: int, idle: str) -> dict[tuple[int, int], str]:
    """A graph of one input and one output on `nodes` numbered nodes, the input being 0 and the
    output the last: (from, to) -> operation, at most one for two nodes.

    An edge that has company between the same two states goes through a node of its own, by an
    `idle` edge; all that one state needs serve all its readers. Undoes `pruned` with that `idle`.

    >>> placed((((("conv", 0), ("pool", 0)),), (1,)), 4, "skip")
    {(0, 1): 'skip', (0, 3): 'conv', (1, 3): 'pool'}
    """
    reads, (output,) = dag
    if output == 0:
        return {(0, nodes - 1): idle}
    copies: dict[int, int] = {}
    for edges in reads:
        for source, count in Counter([source for _, source in edges]).items():
            copies[source] = max(copies.get(source, 1), count)
    places, edges_at, free = {0: [0]}, dict[tuple[int, int], str](), 1
    for state, edges in enumerate([(), *reads]):
        if state:
            place = nodes - 1 if state == output else free
            places[state] = [place]
            free += 1
        for _ in range(copies.get(state, 1) - 1):
            edges_at[places[state][0], free] = idle
            places[state].append(free)
            free += 1
        used = Counter[int]()
        for name, source in sorted(edges):
            edges_at[places[source][used[source]], places[state][0]] = name
            used[source] += 1
    return dict(sorted(edges_at.items()))
