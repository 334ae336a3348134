"""Cells of two inputs against a cell written by hand, and what is wrong with a genotype."""

from __future__ import annotations

import json

import pytest
import torch

import netwright as nw
from netwright.blocks import genotype
from netwright.core.codec import decode, encode
from netwright.core.net import Net
from oracles import assert_field_is_true, assert_plan_is_true, surrogate

PAIR = nw.CellGenotype(
    ((("sep_conv_3x3", 0), ("identity", 1)), (("avg_pool_3x3", 2), ("max_pool_3x3", 1)))
)
TWO = nw.Fork(older=nw.Conv(6, 3), last=nw.Conv(8, 3, 2))


def net(cell: nw.Cell) -> Net:
    return Net(nw.Sequential(two=TWO, cell=cell), (3, 64, 62))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("tight", [False, True])
def test_cell_of_two_sizes(stride, tight):
    made = net(nw.Cell(PAIR, 4, stride, tight=tight))
    assert_plan_is_true(made)
    plan = made.plan()
    assert plan.output == (4, 32 // stride, -(-31 // stride))
    middle = [n // 2 for n in plan.output[1:]]
    model = surrogate(made.build(init="torch"))
    assert_field_is_true(plan, model, plan.rows[-1].path, middle)


def test_cell_by_hand():
    model = net(nw.Cell(PAIR, 4)).build(seed=0).eval()
    x = torch.randn(2, 3, 64, 62)
    older, last = (part(x) for part in model.two.children())
    cell = model.cell
    h0, h1 = cell.before(older), cell.last(last)
    h2 = cell.node2.get_submodule("0")(h0) + h1
    mean = torch.nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    h3 = mean(h2) + torch.nn.MaxPool2d(3, 1, 1)(h1)
    assert torch.equal(model(x), h3)


def test_drops_all_but_what_does_nothing():
    plan = net(nw.Cell(PAIR, 4, drop=0.3)).plan()
    drops = [row.path for row in plan if isinstance(row.unit, nw.DropPath)]
    assert drops == [f"cell.{edge}.drop" for edge in ("node2.0", "node3.0", "node3.1")]


def test_a_genotype_is_data():
    both = nw.Genotype(PAIR, nw.CellGenotype(((("max_pool_3x3", 1), ("skip_connect", 0)),)))
    again = decode(json.loads(json.dumps(encode(both))))
    assert again == both
    assert {both: "a"}[again] == "a"
    assert eval(repr(both), vars(genotype)) == both
    assert str(both).splitlines() == [
        "normal",
        "2 = sep_conv_3x3(0) + identity(1)",
        "3 = avg_pool_3x3(2) + max_pool_3x3(1)",
        "out = 3",
        "reduction",
        "2 = max_pool_3x3(1) + skip_connect(0)",
        "out = 2",
    ]


@pytest.mark.parametrize(
    ("nodes", "concat", "said"),
    [
        ((), None, "nodes is (), wanted one or more nodes"),
        (((),), None, "node 2 is (), wanted one or more pairs"),
        ((("sep_conv_3x3", 0),), None, "nodes is (('sep_conv_3x3', 0),), wanted (((a text that"),
        (((("sep_conv_3x4", 0),),), None, "near: sep_conv_3x3"),
        (((("identity", 2),),), None, "node 2 reads state 2, there are 0 to 1"),
        (((("identity", True),),), None, "nodes is ((('identity', True),),), wanted"),
        (((("identity", 0),),), (3,), "concat is (3,), wanted different states from 0 to 2"),
        (((("identity", 0),),), (2, 2), "concat is (2, 2)"),
        (((("identity", 0),),), (0,), "nobody reads node 2, and concat leaves it out"),
    ],
)
def test_wrong_genotypes_are_told(nodes, concat, said):
    with pytest.raises(nw.SpecError) as caught:
        nw.CellGenotype(nodes, concat)
    assert said in str(caught.value)


def test_a_genotype_has_two_cells():
    with pytest.raises(nw.SpecError, match="reduction is 'max', wanted a CellGenotype"):
        nw.Genotype(PAIR, "max")


def test_a_cell_takes_two_maps():
    three = nw.Fork(nw.Conv(4), nw.Conv(4), nw.Conv(4))
    with pytest.raises(nw.ShapeError, match="at cell: Cell takes one or two maps, got 3"):
        Net(nw.Sequential(three=three, cell=nw.Cell(PAIR, 4)), (3, 16, 16)).plan()


def test_cells_have_formulas():
    n = pytest.importorskip("sympy").Symbol("n", integer=True, positive=True)
    stem = nw.Sequential(stem=nw.Conv(6), cell=nw.Cell(PAIR, 4, 2))
    macs = Net(stem, (3, 2 * n, 2 * n)).plan().macs
    assert macs.subs(n, 12) == Net(stem, (3, 24, 24)).plan().macs
    with pytest.raises(nw.ShapeError, match="tight padding goes by the size"):
        Net(nw.Cell(PAIR, 4, 2, tight=True), (3, n, n)).plan()
