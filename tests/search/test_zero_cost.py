"""Scores of untrained nets."""

from __future__ import annotations

import math

import pytest
import torch

import netwright as nw
from netwright.search.untrained import SCORES, zero_cost
from netwright.space.nasbench201 import NasBench201

SPACE = NasBench201(width=4, depth=1, input=(3, 8, 8))


@pytest.mark.parametrize("name", ["macs", *SCORES])
def test_scores_are_numbers_that_follow_from_the_seed(name: str) -> None:
    state = torch.get_rng_state()
    scores = [zero_cost(SPACE.net(code), name, seed=1) for code in ("333333", "432121", "000100")]
    assert all(math.isfinite(score) for score in scores)
    assert scores == [zero_cost(SPACE.net(c), name, seed=1) for c in ("333333", "432121", "000100")]
    assert len({*scores}) == 3
    assert torch.equal(state, torch.get_rng_state())


def test_dead_edges_do_not_count() -> None:
    for name in ("macs", *SCORES):
        assert zero_cost(SPACE.net("333300"), name) == zero_cost(SPACE.net("000300"), name)


def test_synflow_is_the_flow_through_a_linear_net() -> None:
    # y = w2 w1 1 with positive weights: sum of w x gradient is y a layer.
    net = nw.Net(nw.Sequential(a=nw.Linear(4, bias=False), b=nw.Linear(2, bias=False)), (3,))
    model = net.build(seed=0)
    w1, w2 = [p.detach().abs().double() for p in model.parameters()]
    flow = float((w2 @ w1).sum())
    assert zero_cost(net, "synflow") == pytest.approx(math.log1p(2 * flow))


def test_unknown_scores_are_named() -> None:
    with pytest.raises(nw.UnknownName, match="no score is called 'sinflow'; near: synflow"):
        zero_cost(SPACE.net("333333"), "sinflow")
    assert nw.search(SPACE, zero_cost, trials=3, strategy="random").best.score > 0
