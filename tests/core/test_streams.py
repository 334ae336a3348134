"""Several values that travel together: Fork, Parallel, blocks and graphs of several inputs."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from oracles import assert_plan_is_true

FORK = nw.Fork(fine=nw.Conv(4), coarse=nw.Conv(8, 3, 2))


class OfTwo(Block, abstract=True):
    """The sum of two maps, the second resized to the first: a cell of two inputs."""

    width: int
    joins = True

    def expand(self, *xs: Shape) -> Spec:
        up = nw.Upsample(xs[0][1] // xs[1][1])
        grown = nw.Sequential(up=up, conv=nw.Conv(self.width, 1))
        return nw.Sequential(sum=nw.Sum(nw.Conv(self.width, 1), grown), act=nw.ReLU())


def net(*parts: Spec) -> Net:
    return Net(nw.Sequential(*parts), (3, 16, 16))


def test_parts_of_a_sum_take_a_stream_each():
    made = net(FORK, OfTwo(6))
    assert_plan_is_true(made)
    assert [row.input for row in made.plan()][2:4] == [(4, 16, 16), (8, 8, 8)]


def test_streams_flow_as_written_by_hand():
    made = net(FORK, nw.Parallel(nw.ReLU(), nw.Upsample(2)), nw.Concat(nw.Identity(), nw.Conv(5)))
    model = made.build(seed=0)
    x = torch.randn(2, 3, 16, 16)
    fine, coarse = model.get_submodule("0").children()
    up = model.get_submodule("1.1")
    wanted = torch.cat([fine(x).relu(), model.get_submodule("2.1")(up(coarse(x)))], 1)
    assert torch.equal(model(x), wanted)


def test_a_graph_reads_its_inputs_by_number():
    crossed = nw.Graph(up=nw.Node(nw.Upsample(2), "input1"), out=nw.Node(nw.Cat(), "up", "input0"))
    made = net(FORK, crossed)
    assert made.plan().output == (12, 16, 16)
    assert nw.from_json(made.to_json()) == made
    both = nw.Graph(cell=nw.Node(OfTwo(6), "input"))
    assert net(FORK, both).plan().output == (6, 16, 16)


def test_rewrites_reach_streams():
    made = net(FORK, nw.Parallel(nw.ReLU(), nw.ReLU()), OfTwo(6)).rewrite("act:GELU")
    assert sum(isinstance(row.unit, nw.GELU) for row in made.plan()) == 3
    assert_plan_is_true(made)


def test_a_tap_lets_all_streams_pass_and_its_head_sees_all():
    up = nw.Parallel(nw.Identity(), nw.Upsample(2))
    both = nw.Sequential(up, nw.Concat(nw.Identity(), nw.Identity()), nw.Conv(5))
    plain, tapped = (
        net(FORK, *tap, up, nw.Concat(nw.Identity(), nw.Identity()))
        for tap in ((), (nw.Tap(both),))
    )
    assert tapped.plan().output == plain.plan().output == (12, 16, 16)
    assert tapped.plan().row("1.head.2").auxiliary
    model, wanted = tapped.build(seed=0), plain.build(seed=0)
    wanted.load_state_dict({k: v for k, v in model.state_dict().items() if k[0] == "0"})
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(model.eval()(x), wanted(x))
    outputs = model.train()(x)
    assert torch.equal(outputs["out"], wanted(x))
    assert outputs["1"].shape == (2, 5, 16, 16)


def test_taps_in_frozen_parts_are_silent():
    held = nw.Frozen(nw.Sequential(conv=nw.Conv(4), tap=nw.Tap(nw.Conv(2))))
    model = net(held, nw.Tap(nw.Conv(3))).build(seed=0).train()
    assert model.taps == {"1": 0.3}
    assert list(model(torch.randn(2, 3, 16, 16))) == ["out", "1"]
    alone = net(held).build(seed=0).train()
    assert isinstance(alone(torch.randn(2, 3, 16, 16)), torch.Tensor)


def test_a_tap_in_time_tells_every_step():
    each = nw.TimeDistributed(nw.Sequential(conv=nw.Conv(4), tap=nw.Tap(nw.Conv(2))))
    model = Net(each, (5, 3, 9, 8)).build(seed=0).train()
    shapes = {name: value.shape[1:] for name, value in model(torch.rand(2, 5, 3, 9, 8)).items()}
    assert shapes == {"out": (5, 4, 9, 8), "body.tap": (5, 2, 9, 8)}


def test_classes_are_those_of_the_output_and_of_every_head():
    made = net(nw.GlobalAvgPool(), nw.Linear(10), nw.Tap(nw.Linear(10))).but(classes=4)
    assert [row.unit.width for row in made.plan() if row.params] == [4, 4]


TAPPED = nw.Shared(nw.Sequential(nw.Conv(3), nw.Tap(nw.Conv(2))), "key")
SHARED = nw.Shared(nw.Conv(3), "key")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((nw.Tap(FORK),), "Tap: its head ends in 2 streams"),
        ((TAPPED, TAPPED), "'key' holds a Tap"),
        ((nw.Tap(nw.Sequential(TAPPED, TAPPED)),), "'key' holds a Tap"),
        ((SHARED, nw.Frozen(SHARED)), "'key' is frozen in one place and learns in another"),
        ((nw.Frozen(SHARED), SHARED), "'key' is frozen in one place"),
        ((FORK,), "ends in 2 streams"),
        ((FORK, nw.ReLU()), "takes one input, got 2"),
        ((FORK, nw.Parallel(nw.ReLU())), "has 1 parts for 2 streams"),
        ((FORK, nw.Sum(nw.ReLU(), nw.ReLU(), nw.ReLU())), "has 3 parts for 2 streams"),
        ((nw.Graph(a=nw.Node(nw.ReLU(), "input1")),), "reads 'input1'"),
        ((FORK, nw.BasicBlock(4)), "takes one input, got 2"),
    ],
)
def test_misfits_are_told(parts, said):
    with pytest.raises(nw.ShapeError, match=said):
        net(*parts).plan()


def test_a_node_cannot_be_called_as_an_input():
    with pytest.raises(nw.SpecError, match="input2"):
        nw.Graph(input2=nw.ReLU())
