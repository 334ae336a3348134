"""Canonical forms against all numberings, isomorphism by brute force, published counts."""

from __future__ import annotations

from itertools import permutations, product
from random import Random

import pytest

from netwright.space.canonical import canonical, flattened, placed, pruned
from netwright.space.nasbench101 import cells


def drawn(random, nodes, inputs, names="ab"):
    """A random graph: what every node reads, and the output."""
    reads = [
        tuple(
            [(random.choice(names), random.randrange(state)) for _ in range(random.choice((1, 2)))]
        )
        for state in range(inputs, inputs + nodes)
    ]
    return reads, tuple(random.choices(range(inputs + nodes), k=random.choice((1, 2, 3))))


def renumbered(reads, output, order, inputs):
    """The same graph, node `order[i]` being the i-th; None where a node would come before what it
    reads."""
    new = {state: state for state in range(inputs)}
    new |= {inputs + old: inputs + i for i, old in enumerate(order)}
    made = [tuple([(name, new[a]) for name, a in reads[old]]) for old in order]
    if any(a >= state for state, edges in enumerate(made, inputs) for _, a in edges):
        return None
    return made, tuple([new[state] for state in output])


def sorted_graph(reads, output):
    return [tuple(sorted(edges)) for edges in reads], tuple(sorted(output))


def isomorphic(one, other, inputs):
    """By trying all numberings."""
    wanted = sorted_graph(*other)
    for order in permutations(range(len(one[0]))):
        made = renumbered(*one, order, inputs)
        if made and sorted_graph(*made) == wanted:
            return True
    return False


@pytest.mark.parametrize("inputs", [1, 2])
def test_every_numbering_has_one_form(inputs):
    random = Random(inputs)
    for _ in range(60):
        graph = drawn(random, 5, inputs)
        form = canonical(*graph, inputs)
        for order in permutations(range(5)):
            made = renumbered(*graph, order, inputs)
            if made:
                shuffled = [tuple(random.sample(edges, len(edges))) for edges in made[0]]
                assert canonical(shuffled, made[1], inputs) == form


@pytest.mark.parametrize(("inputs", "nodes"), [(1, 3), (2, 2)])
def test_equal_forms_are_isomorphism(inputs, nodes):
    random = Random(inputs)
    graphs = [drawn(random, nodes, inputs, "a") for _ in range(120)]
    alike = 0
    for i, one in enumerate(graphs):
        for other in graphs[:i]:
            same = canonical(*one, inputs) == canonical(*other, inputs)
            assert same == isomorphic(one, other, inputs)
            alike += same
    assert alike > 5


def test_the_form_is_one_of_the_graph():
    random = Random(5)
    for _ in range(100):
        graph = drawn(random, 4, 2)
        assert isomorphic(graph, canonical(*graph, 2), 2)


def test_nodes_that_read_what_comes_later_are_refused():
    with pytest.raises(ValueError, match="read states that are not there"):
        canonical([(("a", 1),)], (1,))


@pytest.mark.parametrize(("vertices", "count"), [(2, 1), (3, 6), (4, 84), (5, 2441)])
def test_counts_of_nasbench101(vertices, count):
    """Ying et al. 2019, section 2.1 and its code: cells of so many vertices."""
    assert len(list(cells(vertices))) == count


@pytest.mark.slow
def test_count_of_nasbench101_at_six():
    assert len(list(cells(6))) == 62_010


def value(reads, output, idle, zero):
    """What a graph computes, as terms in an algebra of sums."""
    states = [("x",)]
    for edges in reads:
        terms = []
        for name, a in edges:
            if name == zero or not states[a]:
                continue
            terms += [states[a]] if name == idle else [((name, states[a]),)]
        made = tuple(sorted(terms, key=repr))
        states.append(made[0] if len(made) == 1 else made)
    return tuple(sorted([states[a] for a in output if states[a]], key=repr))


def test_pruning_keeps_what_is_computed():
    """All graphs of three nodes of at most two edges, of four operations."""
    names = ("none", "skip", "conv")
    seen = 0
    for a, b, c, d in product(names, repeat=4):
        for sources in ((0, 0, 1, 2), (0, 1, 0, 2), (0, 0, 0, 1), (0, 1, 1, 2)):
            reads = [((a, 0),), ((b, sources[1] % 2), (c, sources[2] % 2)), ((d, sources[3]),)]
            wanted = value(reads, (3,), "skip", "none")
            made = pruned(reads, (3,), idle="skip")
            if made is None:
                assert wanted == ()
                continue
            assert value(*made, "skip", "none") == wanted
            live = {source for edges in made[0] for _, source in edges} | {*made[1]}
            assert live >= {*range(1, len(made[0]) + 1)}
            assert all(name != "none" for edges in made[0] for name, _ in edges)
            seen += 1
    assert seen > 100


def test_placing_undoes_pruning():
    names = ("none", "skip", "a", "b")
    edges = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
    forms = set()

    def graph(there):
        reads = [[], [], []]
        for (a, b), name in there.items():
            reads[b - 1].append((name, a))
        return pruned([tuple(own) for own in reads], (3,), idle="skip")

    for choice in product(names, repeat=6):
        made = graph(dict(zip(edges, choice, strict=True)))
        if made is None:
            continue
        form = canonical(*flattened(made, "skip"))
        there = placed(form, 4, "skip")
        assert {*there} <= {*edges}
        again = graph(there)
        assert again is not None
        assert canonical(*flattened(again, "skip")) == form
        forms.add(form)
    assert (
        len({tuple(sorted(placed(form, 4, "skip").items())) for form in forms}) == len(forms) > 500
    )
