"""Blocks of several streams, held against what they are made to do."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from netwright.core.net import Net
from oracles import assert_field_is_true, assert_plan_is_true, surrogate

WIDTHS = (4, 6, 8)


def net(*parts):
    """A net whose three streams go through the parts and are then one map again."""
    back = nw.Concat(nw.Identity(), nw.Upsample(2), nw.Upsample(4))
    return Net(nw.Sequential(nw.StreamTransition(WIDTHS), *parts, back), (3, 48, 48))


def test_plan_and_field_are_true():
    made = net(nw.HighResolutionModule(1))
    assert_plan_is_true(made)
    plan = made.plan()
    model = surrogate(made.build(init="torch"))
    for path in ("1.exchange.0.act", "1.exchange.2.act", "2"):
        at = [n // 2 for n in plan.row(path).output[1:]]
        assert_field_is_true(plan, model, path, at)


def test_streams_come_and_go():
    plan = net(nw.StreamTransition(WIDTHS)).plan()
    assert plan.output == (18, 48, 48)
    assert [row.output for row in plan if row.path.startswith("0.")][-1] == (8, 12, 12)
    assert not [row for row in plan if row.path.startswith("1.") and row.params]


def test_exchange_by_hand():
    made = Net(
        nw.Sequential(
            nw.StreamTransition((4, 6)), nw.ExchangeUnit(), nw.Concat(nw.Identity(), nw.Upsample())
        ),
        (3, 16, 16),
    )
    model = made.build(seed=0).eval()
    x = torch.randn(2, 3, 16, 16)
    part = model.get_submodule
    fine, coarse = part("0.0.0")(x), part("0.0.1")(x)
    up = part("1.0.sum.1.up")(part("1.0.sum.1.conv")(coarse))
    first, second = (fine + up).relu(), (part("1.1.sum.0")(fine) + coarse).relu()
    wanted = torch.cat([first, part("2.1")(second)], 1)
    torch.testing.assert_close(model(x), wanted)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (nw.ExchangeUnit(4), "makes 4 streams, got 3"),
        (nw.StreamTransition((4, 6)), "to 2 streams got 3"),
    ],
)
def test_too_many_and_too_few_are_told(part, said):
    with pytest.raises(nw.ShapeError, match=said):
        net(part).plan()
