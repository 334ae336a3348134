"""Nets as values, and what a user may do with one."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

import netwright as nw
from netwright.core.wiring import RESERVED
from netwright.errors import RuleError, ShapeError, SpecError, UnknownName
from netwright.nets import registry


def test_a_net_is_a_value() -> None:
    a, b = nw.net("resnet18"), registry.entry("resnet18")()
    assert a == b
    assert hash(a) == hash(b)
    assert len({a, b}) == 1
    assert copy.deepcopy(a) == pickle.loads(pickle.dumps(a)) == a
    with pytest.raises(AttributeError):
        a.name = "other"


def test_names_that_modules_need_are_reserved() -> None:
    own = {name for name in dir(torch.nn.Module()) if not name.startswith("_")}
    assert own <= RESERVED
    with pytest.raises(SpecError, match="try 'train_'"):
        nw.Sequential(train=nw.ReLU())


@pytest.mark.parametrize("name", ["a.b", "", "_x"])
def test_bad_part_names(name: str) -> None:
    with pytest.raises(SpecError, match="word without dots"):
        nw.Sequential(**{name: nw.ReLU()})


def test_parts_must_be_specs() -> None:
    with pytest.raises(SpecError, match="'act' is 'relu'"):
        nw.Sequential(act="relu")
    with pytest.raises(SpecError, match="at least one branch"):
        nw.Sum()
    with pytest.raises(SpecError, match="two parts are called 'a'"):
        nw.Sequential(a=nw.ReLU()).over((("a", nw.ReLU()), ("a", nw.ReLU())))


def test_graphs_read_what_stands_before() -> None:
    with pytest.raises(SpecError, match="near: stem"):
        nw.Graph(stem=nw.ReLU(), out=nw.Node(nw.Add(), "stm", "stem"))
    with pytest.raises(SpecError, match="'input'"):
        nw.Graph(input=nw.ReLU())
    with pytest.raises(SpecError, match="no node"):
        nw.Graph()


def test_a_graph_wires_by_name() -> None:
    graph = nw.Graph(
        a=nw.Conv(4),
        b=nw.Node(nw.Conv(6), "input"),
        both=nw.Node(nw.Cat(), "a", "b", "input"),
        last=nw.Conv(2, 1),
    )
    plan = nw.Net(graph, (3, 8, 8)).plan()
    assert plan.row("both").output == (13, 8, 8)
    assert plan.row("both").sources == (0, 1, -1)
    assert plan.output == (2, 8, 8)


def test_shared_parts_have_one_set_of_weights() -> None:
    twice = nw.Sequential(a=nw.Shared(nw.Conv(3), "c"), b=nw.Shared(nw.Conv(3), "c"))
    plan = nw.Net(twice, (3, 8, 8)).plan()
    single = nw.Net(nw.Conv(3), (3, 8, 8)).plan()
    assert plan.params == single.params
    assert plan.macs == 2 * single.macs
    model = nw.Net(twice, (3, 8, 8)).build()
    assert model.a.body is model.b.body
    apart = nw.Sequential(a=nw.Shared(nw.Conv(3), "c"), b=nw.Shared(nw.Conv(5), "c"))
    with pytest.raises(ShapeError, match="at b: Shared key 'c'"):
        nw.Net(apart, (3, 8, 8)).plan()


def test_two_uses_of_a_spec_are_two_modules() -> None:
    conv = nw.Conv(3)
    model = nw.Net(nw.Sequential(conv, conv), (3, 8, 8)).build()
    assert model.get_submodule("0") is not model.get_submodule("1")


def test_taps_are_trained_and_not_run() -> None:
    spec = nw.Sequential(
        body=nw.Conv(4),
        aux=nw.Tap(nw.Sequential(nw.GlobalAvgPool(), nw.Linear(3)), 0.25),
        head=nw.Sequential(pool=nw.GlobalAvgPool(), fc=nw.Linear(5)),
    )
    net = nw.Net(spec, (3, 8, 8))
    plan = net.plan()
    assert [row.path for row in plan.rows if row.auxiliary] == ["aux.head.0", "aux.head.1"]
    assert plan.macs == plan.row("body").macs + plan.row("head.fc").macs
    model = net.build()
    assert plan.params == sum(p.numel() for p in model.parameters())
    out = model.train()(torch.rand(2, 3, 8, 8))
    assert {name: tuple(y.shape) for name, y in out.items()} == {"out": (2, 5), "aux": (2, 3)}
    assert model.taps == {"aux": 0.25}
    assert model.eval()(torch.rand(2, 3, 8, 8)).shape == (2, 5)
    assert net.but(classes=7).plan().row("aux.head.1").output == (7,)


def test_misfits_name_the_unit_and_keep_the_rows_before_it() -> None:
    residual = nw.Sum(body=nw.Conv(2048), shortcut=nw.Identity())
    stage = nw.Sequential(nw.Sequential(residual=residual, act=nw.ReLU()))
    with pytest.raises(ShapeError, match=r"at stage4\.0\.residual: Add joins") as caught:
        nw.Net(nw.net("resnet50").spec.put(stage4=stage), (3, 224, 224)).plan()
    assert caught.value.rows[0].path == "stem.conv.conv"
    assert "2048x14x14 + 1024x14x14" in str(caught.value)


def test_but() -> None:
    net = nw.net("resnet50")
    assert net.but(classes=10).plan().output == (10,)
    assert net.but(input=(1, 64, 64)).plan().row("stem.conv.conv").params == 64 * 49
    assert net.but(stem__pool=nw.Identity()).plan().row("stage1.0.act").output == (256, 112, 112)
    assert net.but(name="mine").name == "mine"
    assert net.but() == net
    with pytest.raises(UnknownName, match=r"near: stem"):
        net.but(stam=nw.Identity())
    with pytest.raises(RuleError, match="no unit"):
        net.but(stem=3)


def test_seeds() -> None:
    net = nw.net("lenet5")
    torch.manual_seed(3)
    state = torch.get_rng_state()
    a, b, c = net.build(seed=1), net.build(seed=1), net.build(seed=2)
    assert torch.equal(torch.get_rng_state(), state)
    same = [torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True)]
    assert all(same)
    assert any(not torch.equal(x, y) for x, y in zip(a.parameters(), c.parameters(), strict=True))


def test_initial_weights_follow_their_papers() -> None:
    net = nw.Net(nw.Sequential(conv=nw.Conv(256, 3), fc=nw.Conv(256, 1)), (128, 8, 8))
    he = net.build(seed=0).conv.weight
    assert abs(he.std().item() / (2 / (256 * 9)) ** 0.5 - 1) < 0.02
    xavier = net.build(seed=0, init="xavier").conv.weight
    assert abs(xavier.std().item() / (2 / ((128 + 256) * 9)) ** 0.5 - 1) < 0.02
    assert net.build(seed=0).conv.bias.abs().max() == 0
    with pytest.raises(SpecError, match="there are: he, xavier, torch"):
        net.build(init="hee")


def test_zero_gamma_makes_bodies_silent() -> None:
    model = nw.net("resnet18", classes=10, input=(3, 32, 32)).build(seed=0, zero_gamma=True)
    residual = model.get_submodule("stage1.0.residual").eval()
    x = torch.rand(1, 64, 8, 8)
    torch.testing.assert_close(residual(x), x)


def test_memory() -> None:
    plan = nw.net("vgg16").plan()
    assert plan.weight_bytes == 4 * 138_357_544
    first = 64 * 224 * 224
    assert plan.peak_bytes == 4 * (3 * 224 * 224 + 3 * first)  # conv1's, conv2's, its activation's
    assert nw.net("vgg16").plan(batch=8).peak_bytes == 8 * plan.peak_bytes
    assert nw.net("vgg16").plan(dtype="bfloat16").memory * 2 == plan.memory
    with pytest.raises(SpecError, match="float32"):
        nw.net("vgg16").plan(dtype="float31")
    with pytest.raises(SpecError, match="batch is 0"):
        nw.net("vgg16").plan(batch=0)
    with pytest.raises(ShapeError, match="positive integer"):
        nw.net("vgg16").plan((3, 0, 224))


def test_plans_print_as_tables() -> None:
    plan = nw.net("resnet18").plan()
    lines = str(plan).splitlines()
    assert len(lines) > len(plan.rows)
    assert any("11,689,512" in line for line in lines)
    assert len(plan.table(depth=1).splitlines()) < 30


def test_unknown_names_have_near_ones() -> None:
    with pytest.raises(UnknownName, match=r"near: .*resnet50"):
        nw.net("resnet5O")
    with pytest.raises(SpecError, match="it has: input, depths"):
        nw.net("resnet50", clases=3)


def test_a_net_is_planned_at_inputs_of_its_own_rank() -> None:
    net = nw.net("resnet18")
    assert net.at((3, 64, 32)).plan() == net.plan((3, 64, 32))
    for use in (net.plan, net.at):
        with pytest.raises(ShapeError, match="resnet18 takes 3 sizes, such as 3x224x224; got 3x2"):
            use((3, 2))
    assert nw.net("resnet18", classes=10, input=(3, 640)).plan().output == (10,)
    assert net.but(input=(3, 640)).plan().row("stem.conv.conv").output == (64, 320)
