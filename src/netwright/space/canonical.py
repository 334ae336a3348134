"""One form for all numberings of a small graph: two graphs are isomorphic if these are equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, combinations, product
from typing import TypeAlias

__all__ = ["Dag", "Edges", "canonical", "flattened", "placed", "pruned"]

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


def flattened(dag: Dag, idle: str) -> Dag:
    """The graph without nodes that are read once, by an `idle` edge: who reads them reads what they
    read. The same where nodes join their edges by something that is joined again alike, as sums
    and concatenations are.

    >>> flattened((((("conv", 0),), (("pool", 0), ("skip", 1))), (2,)), "skip")
    (((('pool', 0), ('conv', 0)),), (1,))
    """
    nodes, output = dag
    reads = {state: list(edges) for state, edges in enumerate(nodes, 1)}
    for state in sorted(reads):
        readers = [
            (name, other) for other, edges in reads.items() for name, a in edges if a == state
        ]
        if len(readers) == 1 and readers[0][0] == idle and state not in output:
            other = readers[0][1]
            reads[other].remove((idle, state))
            reads[other] += reads.pop(state)
    place = {0: 0} | {state: i for i, state in enumerate(reads, 1)}
    left = [tuple([(name, place[a]) for name, a in edges]) for edges in reads.values()]
    return tuple(left), tuple([place[state] for state in output])


@lru_cache(maxsize=65536)
def placed(dag: Dag, nodes: int, idle: str) -> dict[tuple[int, int], str] | None:
    """A graph of one input and one output on `nodes` numbered nodes, the input being 0 and the
    output the last: (from, to) -> operation, at most one for two nodes. None where it has no room.

    Undoes `flattened` and `pruned` as far as it must: edges that have company between the same two
    states go by nodes of their own, of which some ways may have room; of these it is the least.

    >>> placed((((("conv", 0), ("pool", 0)),), (1,)), 4, "skip")
    {(0, 1): 'pool', (0, 3): 'conv', (1, 3): 'skip'}
    """
    if dag[1] == (0,):
        return {(0, nodes - 1): idle}
    ways = [canonical(*way) for way in _spread(dag, nodes - 1 - len(dag[0]), idle)]
    return min(
        map(_numbered, ways, [nodes] * len(ways)), key=lambda way: [*way.items()], default=None
    )


def _numbered(dag: Dag, nodes: int) -> dict[tuple[int, int], str]:
    """The edges of a graph, its output being the last of so many nodes."""
    reads, (output,) = dag
    place = {state: state for state in range(len(reads) + 1)} | {output: nodes - 1}
    edges = [((place[a], place[state]), name)
             for state, own in enumerate(reads, 1) for name, a in own]  # fmt: skip
    return dict(sorted(edges))


def _spread(dag: Dag, room: int, idle: str) -> Iterator[Dag]:
    """The graph with at most `room` nodes more, so that no two edges lead from one state to one
    other: a node after the state, which hands it on, or one before the other, which joins some.
    """
    reads, output = dag
    twice = [(state, a) for state, edges in enumerate(reads, 1)
             for a, count in Counter([a for _, a in edges]).items() if count > 1]  # fmt: skip
    if not twice:
        yield dag
    if not twice or room == 0:
        return
    state, source = twice[0]
    ends = tuple([a + (a > source) for a in output])
    for shared in product(*[_shared(edges, source) for edges in reads]):
        handed = [*shared[:source], ((idle, source),), *shared[source:]]
        yield from _spread((tuple(handed), ends), room - 1, idle)
    edges = sorted(reads[state - 1])
    last = max(i for i, (_, a) in enumerate(edges) if a == source)
    shifted = [tuple([(name, a + (a >= state)) for name, a in own]) for own in reads]
    for company in _subsets([i for i in range(len(edges)) if i != last]):
        joined = [edges[i] for i in (last, *company)]
        if len({a for _, a in joined}) == len(joined):
            rest = [edge for i, edge in enumerate(edges) if i != last and i not in company]
            split = [*shifted[: state - 1], tuple(joined), (*rest, (idle, state)), *shifted[state:]]
            later = tuple([a + (a >= state) for a in output])
            yield from _spread((tuple(split), later), room - 1, idle)


def _shared(edges: Edges, source: int) -> list[Edges]:
    """The edges of a node of which some, where several are of `source`, are of the state after it,
    which is new.
    """
    alike = sorted([edge for edge in edges if edge[1] == source])
    rest = [(name, a + (a > source)) for name, a in edges if a != source]
    if len(alike) < 2:
        return [(*rest, *alike)]
    moved = [own for own in _subsets(range(len(alike))) if own]
    return [(*rest, *[(name, a + (i in own)) for i, (name, a) in enumerate(alike)])
            for own in moved]  # fmt: skip


def _subsets(items: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """All selections of them, but for that of all."""
    return chain.from_iterable(combinations(items, size) for size in range(max(len(items), 1)))
