"""Random graphs: networkx's own where that draws as we do, the same for ever from a seed."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from random import Random

import pytest
import torch

import netwright as nw
from netwright.core.net import Net

MODELS = (nw.WattsStrogatz(4, 0.75), nw.ErdosRenyi(0.2), nw.BarabasiAlbert(5))
each = pytest.mark.parametrize("graph", MODELS, ids=repr)


class Plain(Random):
    """A generator whose `choice` draws as ours."""

    def choice(self, seq):
        return seq[int(self.random() * len(seq))]


def ordered(edges):
    return {(min(a, b), max(a, b)) for a, b in edges}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n", "k", "p"), [(32, 4, 0.75), (20, 6, 0.3), (9, 2, 0.9)])
def test_watts_strogatz_is_that_of_networkx(n, k, p, seed):
    networkx = pytest.importorskip("networkx")
    wanted = networkx.watts_strogatz_graph(n, k, p, seed=Plain(seed)).edges
    assert nw.WattsStrogatz(k, p).draw(n, Random(seed)) == ordered(wanted)


@pytest.mark.parametrize("seed", range(5))
def test_erdos_renyi_is_that_of_networkx(seed):
    networkx = pytest.importorskip("networkx")
    wanted = networkx.gnp_random_graph(32, 0.2, seed=Plain(seed)).edges
    assert nw.ErdosRenyi(0.2).draw(32, Random(seed)) == ordered(wanted)


def test_barabasi_albert_prefers_as_networkx_does():
    """Its draws come in another order, so that the degrees of many graphs are compared."""
    networkx = pytest.importorskip("networkx")
    start = networkx.star_graph([3, 0, 1, 2])

    def degrees(edges):
        return sorted(Counter(node for edge in edges for node in edge).values(), reverse=True)

    ours = [degrees(nw.BarabasiAlbert(3).draw(40, Random(s))) for s in range(200)]
    theirs = [degrees(networkx.barabasi_albert_graph(40, 3, s, start).edges) for s in range(200)]
    mean = [torch.tensor(some).double().mean(0) for some in (ours, theirs)]
    torch.testing.assert_close(*mean, rtol=0.06, atol=0.0)
    assert {sum(row) for row in ours} == {sum(row) for row in theirs} == {2 * 3 * 37}


def test_every_node_of_barabasi_albert_joins_to_m_before_it():
    into = Counter(b for _, b in nw.BarabasiAlbert(5).connected(32, 1))
    assert into == dict.fromkeys(range(5, 32), 5)


@pytest.mark.parametrize(
    ("graph", "wanted"),
    [
        (MODELS[0], "bcd9f5c7a7d5fc3d"),
        (MODELS[1], "73eca1e62f5b2527"),
        (MODELS[2], "b32a522a252c0845"),
    ],
)
def test_a_seed_is_the_same_graph_for_ever(graph, wanted):
    edges = graph.connected(32, 0)
    assert sha256(repr(edges).encode()).hexdigest()[:16] == wanted
    assert graph.connected(32, 1) != edges


def test_chances_of_none_and_all():
    assert len(nw.ErdosRenyi(1).connected(9, 0)) == 36
    ring = nw.WattsStrogatz(2, 0).connected(9, 0)
    assert set(ring) == {(i, i + 1) for i in range(8)} | {(0, 8)}
    assert len(nw.WattsStrogatz(2, 1.0).draw(9, Random(0))) == 9


@each
def test_edges_lead_upwards_and_reach_all(graph):
    for seed in range(20):
        edges = graph.connected(32, seed)
        assert all(0 <= a < b < 32 for a, b in edges)
        assert list(edges) == sorted(set(edges))
        reached = {0}
        for _ in range(32):
            reached |= {n for edge in edges if reached & {*edge} for n in edge}
        assert len(reached) == 32


@pytest.mark.parametrize(
    ("graph", "nodes", "said"),
    [
        (nw.WattsStrogatz(4), 4, "has no graph of 4 nodes; use more than 4"),
        (nw.BarabasiAlbert(5), 5, "has no graph of 5 nodes; use more than 5"),
        (nw.ErdosRenyi(0.001), 32, "100 graphs of 32 nodes by ErdosRenyi(p=0.001) are not"),
    ],
)
def test_graphs_that_there_are_not(graph, nodes, said):
    with pytest.raises(nw.SpecError) as caught:
        nw.RandomStage(graph, 8, nodes).expand((3, 8, 8))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [(nw.WattsStrogatz, {"k": 3}), (nw.ErdosRenyi, {"p": 1.5}), (nw.BarabasiAlbert, {"m": 0})],
)
def test_wrong_fields_are_told(kind, fields):
    with pytest.raises(nw.SpecError, match=kind.__name__):
        kind(**fields)


def test_stage_by_hand():
    """Every node from the sums of those before it, in the order of their numbers."""
    stage = nw.RandomStage(nw.WattsStrogatz(4, 0.75), 6, 8, seed=2)
    model = Net(stage, (4, 16, 14)).build(seed=0).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("sum.weight"):
                parameter.normal_()
    x = torch.randn(2, 4, 16, 14)
    edges, made = stage.graph.connected(8, 2), {}
    for i in range(8):
        node = model.get_submodule(f"node{i}")
        inputs = [made[a] for a, b in edges if b == i] or [x]
        weights = node.get_submodule("sum").weight.sigmoid()
        total = sum(w * h for w, h in zip(weights, inputs, strict=True))
        made[i] = node.conv(total.relu())
    ends = [made[i] for i in range(8) if i not in {a for a, _ in edges}]
    torch.testing.assert_close(model(x), sum(ends) / len(ends))
