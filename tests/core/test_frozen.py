"""Frozen parts: in plans, in modules, while training."""

from __future__ import annotations

import copy
import pickle

import torch

import netwright as nw
from netwright.core.net import Net
from netwright.drawing.diagram import diagram
from netwright.report.outline import outline
from oracles import assert_plan_is_true

EYE = nw.Sequential(conv=nw.Conv(4), norm=nw.BatchNorm(), drop=nw.Dropout(0.5))
BOOST = nw.Sequential(
    stem=nw.Conv(3),
    boost=nw.Concat(image=nw.Identity(), more=nw.Frozen(EYE)),
    head=nw.Sequential(pool=nw.GlobalAvgPool(), fc=nw.Linear(2)),
)
NET = Net(BOOST, (3, 9, 8))
HELD = "boost.more.body"


def test_a_plan_is_that_of_the_body():
    plain = Net(BOOST.put(boost=nw.Concat(image=nw.Identity(), more=EYE)), NET.input).plan()
    plan = NET.plan()
    assert_plan_is_true(NET)
    assert (plan.params, plan.macs, plan.output) == (plain.params, plain.macs, plain.output)
    assert plan.rows[-1].field == plain.rows[-1].field


def test_diagrams_say_so():
    assert "frozen" in diagram(outline(NET))


def test_is_a_value():
    names = {**vars(nw.core), **{name: getattr(nw, name) for name in nw.units()}}
    assert eval(repr(BOOST), names) == BOOST
    assert nw.from_json(NET.to_json()) == NET
    assert (
        NET.rewrite("norm:InstanceNorm").spec["boost"]["more"]["body"]["norm"] == nw.InstanceNorm()
    )


def test_the_body_stays_as_it_is_while_the_rest_learns():
    model = NET.build(seed=1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    x = torch.randn(5, *NET.input, generator=torch.Generator().manual_seed(2))
    model.train()(x).square().sum().backward()
    optimiser.step()
    changed = {
        name for name, value in model.state_dict().items() if not torch.equal(value, before[name])
    }
    assert changed == {"stem.weight", "stem.bias", "head.fc.weight", "head.fc.bias"}


def test_gradients_pass_through():
    model = NET.build(seed=1).train()
    x = torch.randn(2, *NET.input, requires_grad=True)
    held = model.get_submodule(HELD)
    held(x).square().sum().backward()
    assert x.grad.abs().sum() > 0
    assert all(p.grad is None and not p.requires_grad for p in held.parameters())


def test_modes_and_copies():
    model = NET.build(seed=1)
    for made in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        for mode in (True, False, True):
            made.train(mode)
            assert made.training is mode
            assert made.get_submodule("head.fc").training is mode
            assert not any(module.training for module in made.get_submodule(HELD).modules())
        assert not any(p.requires_grad for p in made.get_submodule(HELD).parameters())
