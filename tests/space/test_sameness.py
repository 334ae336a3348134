"""Graphs of different names and orders have one form if, and only if, they compute the same."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import netwright as nw
from netwright.space.sameness import form

PARTS = {"conv": nw.Conv(3), "relu": nw.ReLU(), "wide": nw.Conv(3, kernel=5)}


@st.composite
def graphs(draw: st.DrawFn) -> list[tuple[str, tuple[int, ...]]]:
    """(what a node does, the nodes it reads, 0 being the input), the last being the output."""
    nodes = list[tuple[str, tuple[int, ...]]]()
    for i in range(1, draw(st.integers(2, 6))):
        reads = draw(st.lists(st.integers(0, i - 1), min_size=1, max_size=3))
        join = draw(st.sampled_from(["add", "cat"])) if len(reads) > 1 else None
        nodes.append((join or draw(st.sampled_from([*PARTS])), tuple(reads)))
    return nodes


def graph(nodes, names=None) -> nw.Graph:
    """The spec, its nodes by these names and in their order."""
    names = names or {i: f"n{i}" for i in range(1, len(nodes) + 1)}
    joins = {"add": nw.Add(), "cat": nw.Cat()}
    read = {0: "input", **names}
    return nw.Graph(**{
        names[i]: nw.Node((PARTS | joins)[kind], *[read[a] for a in reads])
        for i in names for kind, reads in [nodes[i - 1]]
    })  # fmt: skip


def drawn(nodes) -> nx.DiGraph:
    """What the output depends on, for an oracle: reads are nodes of their own, with their place
    where it matters.
    """
    whole = nx.DiGraph()
    whole.add_node(0, kind="input")
    for i, (kind, reads) in enumerate(nodes, 1):
        whole.add_node(i, kind=f"{kind}, the output" if i == len(nodes) else kind)
        for place, source in enumerate(reads):
            whole.add_node((i, place), kind="read" if kind == "add" else f"read {place}")
            whole.add_edges_from([(source, (i, place)), ((i, place), i)])
    return whole.subgraph({len(nodes), *nx.ancestors(whole, len(nodes))})


@given(graphs(), graphs())
def test_forms_are_equal_where_graphs_are_isomorphic(first, second):
    alike = nx.is_isomorphic(
        drawn(first), drawn(second), node_match=lambda a, b: a["kind"] == b["kind"]
    )
    assert (form(graph(first)) == form(graph(second))) == alike


@given(graphs(), st.randoms(use_true_random=False))
def test_names_and_orders_do_not_count(nodes, random):
    order = list[int]()
    while len(order) < len(nodes):
        ready = [i for i, (_, reads) in enumerate(nodes, 1)
                 if i not in order and all(a in order or a == 0 for a in reads)
                 and (i < len(nodes) or len(order) == len(nodes) - 1)]  # fmt: skip
        order.append(random.choice(ready))
    names = {i: f"m{random.randrange(10**6)}_{i}" for i in order}
    turned = [(kind, tuple(random.sample(reads, len(reads))) if kind == "add" else reads)
              for kind, reads in nodes]  # fmt: skip
    assert form(graph(turned, names)) == form(graph(nodes))


@pytest.mark.parametrize(("join", "functions"), [(nw.Add(), 3), (nw.Mul(), 3), (nw.Mean(), 3),
                                                 (nw.Cat(), 4)])  # fmt: skip
def test_operations_may_be_exchanged_where_they_are_joined_alike(join, functions):
    """Two nodes that each choose of two operations are three functions, or four side by side."""
    a, b = (nw.Choice(nw.ConvNormAct(3), nw.ConvNormAct(3, 5)) for _ in range(2))
    cell = nw.Graph(a=a, b=nw.Node(b, "input"), out=nw.Node(join, "a", "b"))
    net = nw.Net(nw.Sequential(cell, nw.GlobalAvgPool(), nw.Linear(2)), (3, 8, 8), "cell")
    space = nw.space(net)
    assert space.size == 4
    assert len({space.canonical(code) for code in space.codes()}) == functions


def test_streams_that_a_graph_reads_are_told_apart():
    conv, wide = PARTS["conv"], PARTS["wide"]

    def two(first: str, second: str) -> nw.Graph:
        return nw.Graph(a=nw.Node(conv, first), b=nw.Node(wide, second),
                        c=nw.Node(nw.Add(), "a", "b"))  # fmt: skip

    same = nw.Graph(x=nw.Node(wide, "input2"), y=nw.Node(conv, "input1"),
                    z=nw.Node(nw.Add(), "x", "y"))  # fmt: skip
    assert form(two("input1", "input2")) == form(same)
    others = [two("input2", "input1"), two("input1", "input1"), two("input", "input"),
              nw.Graph(a=nw.Node(conv, "input2")), nw.Graph(a=nw.Node(conv, "input1")),
              nw.Graph(a=conv)]  # fmt: skip
    assert len({form(graph) for graph in [same, *others]}) == 1 + len(others)
