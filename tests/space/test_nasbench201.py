"""NAS-Bench-201's space against the figures of its paper."""

from __future__ import annotations

import random
from collections import Counter

import pytest

import netwright as nw
from netwright.blocks.edge_cell import cell_edges, live_edges
from netwright.errors import SpecError
from netwright.space.nasbench201 import EDGES, NasBench201
from oracles import counted_macs


def paths(choices: tuple[int, ...]) -> Counter[tuple[int, ...]]:
    """The operations on every way from the first node to the last, skips left out."""
    count = Counter[tuple[int, ...]]()

    def walk(node: int, done: tuple[int, ...]) -> None:
        if node == 3:
            count[done] += 1
        for (a, b), choice in zip(EDGES, choices, strict=True):
            if a == node and choice:
                walk(b, done if choice == 1 else (*done, choice))

    walk(0, ())
    return count


def test_codes_fall_into_the_functions_of_the_paper() -> None:
    space = nw.space("nasbench201")
    keys = {space.canonical(code) for code in space.codes()}
    assert space.size == 15625
    assert len(keys) == 4930
    assert len(keys) <= 6466


def test_equal_codes_have_equal_paths_and_equal_parts() -> None:
    space, draw = NasBench201(), random.Random(0)
    for _ in range(300):
        code = space.sample(draw)
        key = space.canonical(code)
        assert paths(space.choices(code)) == paths(space.choices(key))
        assert space.described(space.choices(code)) == space.described(space.choices(key))


@pytest.mark.parametrize(("code", "key"), [
    ("000000", "000000"),
    ("333300", "000300"),  # two nodes that nobody reads
    ("010031", "000100"),  # a convolution that nothing reaches, beside two skips
    ("100030", "000300"),  # a skip, then a convolution
    ("301123", "330123"),  # one convolution read twice, or two alike
])  # fmt: skip
def test_dead_branches_skips_and_zeros_are_taken_out(code: str, key: str) -> None:
    space = NasBench201()
    assert space.canonical(code) == space.canonical(key)
    assert paths(space.choices(code)) == paths(space.choices(space.canonical(code)))


def test_different_functions_stay_apart() -> None:
    space = NasBench201()
    apart = ["000000", "000100", "000200", "000300", "000400", "230030", "320030", "110111"]
    assert len({space.canonical(code) for code in apart}) == len(apart)


@pytest.mark.parametrize(("code", "params", "macs"), [
    ("333333", 1_531_546, 220_119_680),  # the largest of the benchmark: 1.53 M, 220.12 MFLOPs
    ("111111", 73_306, 7_783_040),  # 0.07 M, 7.78 MFLOPs
])  # fmt: skip
def test_published_sizes(code: str, params: int, macs: int) -> None:
    plan = nw.space("nasbench201").net(code).plan()
    assert (plan.params, plan.macs) == (params, macs)


@pytest.mark.parametrize("code", ["000000", "432121", "103040", "001003"])
def test_costs_are_those_that_run(code: str) -> None:
    import torch

    space = NasBench201(width=4, depth=1)
    net, total = space.net(code), space.totals(code)
    model = net.build(seed=0).eval()
    assert total.macs == counted_macs(model, torch.rand(1, 3, 32, 32))
    assert total.params == sum(p.numel() for p in model.parameters())


def test_dead_edges_change_nothing_that_is_computed() -> None:
    import torch

    space, x = NasBench201(width=4, depth=1), torch.rand(2, 3, 32, 32)
    same = [space.net(code).build(seed=0).eval()(x) for code in ("000300", "320300", "040300")]
    torch.testing.assert_close(same[0], same[1])
    torch.testing.assert_close(same[0], same[2])


def test_edges_are_those_on_a_way_through() -> None:
    assert cell_edges(6) == ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
    none, conv = "none", "conv_3x3"
    assert live_edges((conv, none, conv, none, none, none)) == []
    assert live_edges((none, none, conv, conv, none, conv)) == [(0, 3, conv)]
    assert live_edges((conv, none, conv, none, none, conv)) == [
        (0, 1, conv), (1, 2, conv), (2, 3, conv)]  # fmt: skip


@pytest.mark.parametrize("operations", [(), ("none",) * 2, ("conv_9x9",), ("none",) * 5])
def test_cells_of_other_edges_are_refused(operations: tuple[str, ...]) -> None:
    with pytest.raises((SpecError, nw.UnknownName)):
        nw.EdgeCell(operations)
