"""Laws that hold for any wiring."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, assume, event, given, settings

import netwright as nw
from nets import nets
from netwright.core.net import Net
from oracles import assert_field_is_true, assert_plan_is_true, is_inside, surrogate

NAMES = {
    **vars(nw.core),
    **{name: getattr(nw, name) for name in (*nw.units(), *nw.blocks())},
}
quick = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    derandomize=True,
)


@given(nets())
@quick
def test_plan_is_what_runs(net: Net) -> None:
    if net.plan().rows:
        assert_plan_is_true(net)


@pytest.mark.slow
@given(nets(size=(4, 61, 53), most=4))
@settings(quick, max_examples=250)
def test_field_is_the_support_of_the_gradient(net: Net) -> None:
    plan = net.plan()
    row = plan.rows[-1]
    model = surrogate(net.build(init="torch"))
    _drop_global_branches(model)
    middle = [n // 2 for n in row.output[1:]]
    assume(not row.field.apart and min(middle) > 0 and is_inside(plan, row.field, middle))
    assert_field_is_true(plan, model, row.path, middle)
    assert_field_is_true(plan, model, row.path, [i - 1 for i in middle])


def _drop_global_branches(model: torch.nn.Module) -> None:
    """A field is told beside its gates, which see all; here they add nothing."""
    for module in model.modules():
        if "excite" in dict(module.named_children()):
            for parameter in module.excite.parameters():
                torch.nn.init.zeros_(parameter)


@given(nets())
@quick
def test_round_trips(net: Net) -> None:
    assert nw.from_json(net.to_json()) == net
    assert eval(repr(net.spec), dict(NAMES)) == net.spec
    assert nw.from_json(net.to_json()).hash == net.hash


@given(nets(), nets())
@quick
def test_hash_is_identity(a: Net, b: Net) -> None:
    assert (a.hash == b.hash) == (a.spec == b.spec)
    assert not nw.diff(a, a)
    assert bool(nw.diff(a, b)) == (a.spec != b.spec)
    d = nw.diff(a, b)
    assert sum(change.d_params for change in d.changes) + d.elsewhere[0] == (
        b.plan().params - a.plan().params
    )


@pytest.mark.parametrize(
    "rule", ["act:GELU", "norm:GroupNorm:", "5x5-to-3x3", "asymmetric", "widen:2"]
)
@given(net=nets())
@settings(quick, max_examples=40)
def test_rewritten_nets_are_valid(rule: str, net: Net) -> None:
    rule = nw.rule("norm", nw.GroupNorm(groups=2)) if rule.startswith("norm") else rule
    try:
        made = net.rewrite(rule)
    except nw.RuleError as error:
        event(str(error).partition(":")[0])
        return
    assert_plan_is_true(made)
    assert made != net
    assert nw.from_json(made.to_json()) == made
