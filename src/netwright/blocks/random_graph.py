"""The three classic random graphs, the same from a seed on every machine.

Nodes are numbered; an edge leads from the lower to the higher number, so that every graph has
a direction and no cycle. All draws come from `random.Random.random`, whose numbers Python
keeps from version to version; those of `choice` and `shuffle` it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from random import Random
from typing import TypeAlias

from netwright.core.check import is_count
from netwright.core.spec import Value
from netwright.errors import SpecError

__all__ = ["BarabasiAlbert", "Edges", "ErdosRenyi", "RandomGraph", "WattsStrogatz"]

Edges: TypeAlias = tuple[tuple[int, int], ...]
"""(lower node, higher node), sorted."""
TRIES = 100


class RandomGraph(Value, abstract=True):
    """A distribution over graphs."""

    def draw(self, nodes: int, rng: Random) -> set[tuple[int, int]]:
        """The edges of one graph of so many nodes, (lower node, higher node)."""
        raise NotImplementedError(f"{type(self).__name__} does not draw")

    def connected(self, nodes: int, seed: int) -> Edges:
        """The first connected graph that the seed gives.

        Raises `SpecError` where a hundred graphs are not connected, or no graph is that small.
        """
        return _connected(self, nodes, seed)


class ErdosRenyi(RandomGraph):
    """Every two nodes have an edge with probability `p` (Erdos & Renyi 1959).

    >>> len(ErdosRenyi(0.2).connected(32, seed=0))
    95
    """

    p: float = 0.2

    def check(self) -> None:
        _is_chance(self, "p")

    def draw(self, nodes: int, rng: Random) -> set[tuple[int, int]]:
        return {pair for pair in combinations(range(nodes), 2) if rng.random() < self.p}


class BarabasiAlbert(RandomGraph):
    """`m` nodes without edges, then every further node has edges to `m` of those before it,
    drawn by their number of edges (Barabasi & Albert 1999): m (nodes - m) edges.

    >>> len(BarabasiAlbert(5).connected(32, seed=0))
    135
    """

    m: int = 5

    def check(self) -> None:
        is_count(self, "m")

    def draw(self, nodes: int, rng: Random) -> set[tuple[int, int]]:
        if nodes <= self.m:
            raise SpecError(f"{self!r} has no graph of {nodes} nodes; use more than {self.m}")
        edges = set[tuple[int, int]]()
        ends = list[int]()  # every node once for each of its edges
        targets = {*range(self.m)}
        for node in range(self.m, nodes):
            edges |= {(target, node) for target in targets}
            ends += [*sorted(targets), *[node] * self.m]
            targets = set[int]()
            while len(targets) < self.m:
                targets.add(_choice(ends, rng))
        return edges


class WattsStrogatz(RandomGraph):
    """A ring in which every node has edges to its `k` nearest, each of which is led elsewhere
    with probability `p` (Watts & Strogatz 1998): nodes k / 2 edges.

    >>> len(WattsStrogatz(4, 0.75).connected(32, seed=0))
    64
    """

    k: int = 4
    p: float = 0.75

    def check(self) -> None:
        is_count(self, "k", least=2)
        _is_chance(self, "p")
        if self.k % 2:
            raise SpecError(f"WattsStrogatz: k is {self.k}, wanted an even number")

    def draw(self, nodes: int, rng: Random) -> set[tuple[int, int]]:
        if nodes <= self.k:
            raise SpecError(f"{self!r} has no graph of {nodes} nodes; use more than {self.k}")
        hops = range(1, self.k // 2 + 1)
        beside = [{(u + way * hop) % nodes for hop in hops for way in (1, -1)}
                  for u in range(nodes)]  # fmt: skip
        for hop in hops:
            for u in range(nodes):
                if rng.random() < self.p and len(beside[u]) < nodes - 1:
                    _lead_elsewhere(beside, u, (u + hop) % nodes, rng)
        return {(u, v) for u in range(nodes) for v in beside[u] if u < v}


def _is_chance(graph: RandomGraph, name: str) -> None:
    value = vars(graph)[name]
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise SpecError(f"{type(graph).__name__}: {name} is {value!r}, wanted a number from 0 to 1")


def _lead_elsewhere(beside: list[set[int]], u: int, v: int, rng: Random) -> None:
    """The edge of u and v becomes one of u and a node that it has none to."""
    nodes = range(len(beside))
    w = _choice(nodes, rng)
    while w == u or w in beside[u]:
        w = _choice(nodes, rng)
    beside[u] = beside[u] - {v} | {w}
    beside[v].remove(u)
    beside[w].add(u)


def _choice(items: Sequence[int], rng: Random) -> int:
    return items[int(rng.random() * len(items))]


@lru_cache(maxsize=256)
def _connected(graph: RandomGraph, nodes: int, seed: int) -> Edges:
    rng = Random(seed)  # noqa: S311 - a graph is no secret
    for _ in range(TRIES):
        edges = tuple(sorted(graph.draw(nodes, rng)))
        if _in_one_piece(nodes, edges):
            return edges
    raise SpecError(f"{TRIES} graphs of {nodes} nodes by {graph!r} are not connected; "
                    "use more edges")  # fmt: skip


def _in_one_piece(nodes: int, edges: Edges) -> bool:
    piece = list(range(nodes))
    for a, b in edges:
        piece = [piece[a] if own == piece[b] else own for own in piece]
    return len({*piece}) == 1
