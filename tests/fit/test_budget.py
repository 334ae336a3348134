"""Budgets as text, and nets held against them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netwright as nw
from netwright.errors import BudgetError
from netwright.space.budget import Budget
from netwright.train.propose import propose

bounds = st.none() | st.integers(0, 10**12)


@given(st.builds(Budget, bounds, bounds, bounds))
def test_text_round_trip(budget):
    assert Budget.parse(str(budget)) == budget


@given(st.integers(0, 10**6), st.sampled_from([("", 1), ("k", 10**3), ("M", 10**6), ("G", 10**9)]))
def test_counts_have_decimal_units(number, unit):
    assert Budget.parse(f"macs <= {number}{unit[0]}").macs == number * unit[1]


@given(st.integers(0, 10**6), st.sampled_from([("B", 0), ("KB", 1), ("MiB", 2), ("g", 3)]))
def test_bytes_have_binary_units(number, unit):
    assert Budget.parse(f"MEMORY<{number} {unit[0]}").memory == number * 1024 ** unit[1]


def test_fractions_and_spaces():
    read = Budget.parse(" params <= 1.5M ; macs<=2e6,")
    assert read == Budget(params=1_500_000, macs=2_000_000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latency<=5ms", "depends on the machine"),
        ("param<=1M", "near: params"),
        ("params>=1M", "cannot be read"),
        ("params", "wanted bounds such as"),
        ("params<=-3", "cannot be read"),
        ("params<=1M, params<=2M", "twice"),
        ("macs<=5MB", "unit 'MB'"),
        ("params<=nan", "cannot be read"),
    ],
)
def test_refused(text, said):
    with pytest.raises(BudgetError, match=said) as caught:
        Budget.parse(text)
    assert "\n" not in str(caught.value)


def test_excess_and_broken():
    plan = nw.net("lenet5").plan()
    assert Budget().broken(plan) == []
    assert Budget(params=plan.params, memory=plan.memory).excess(plan) == 1.0
    assert Budget(params=plan.params - 1, macs=1).broken(plan) == ["params", "macs"]


SHAPES = [(1, 8, 8), (3, 32, 32), (3, 64, 64)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("text", ["params<=1M, macs<=50M, memory<=20MB", "params<=20k, macs<=3M"])
def test_candidates_keep_the_budget_and_suit_the_images(shape, text):
    budget = Budget.parse(text)
    proposal = propose(shape, 7, budget, affordable=lambda _: True)
    families = [c.family for c in proposal.kept]
    assert len(families) >= 2
    assert len(families) == len(set(families))
    for candidate in proposal.kept:
        plan = candidate.net.plan()
        assert not budget.broken(plan)
        assert plan.output == (7,)
        assert candidate.last_map >= 2
        assert candidate.field >= shape[1]
    assert len(proposal.kept) + sum(proposal.reasons().values()) == len(proposal.planned)


def test_the_time_leaves_smaller_nets():
    budget = Budget.parse("params<=1M, macs<=50M")
    slow = propose((3, 32, 32), 10, budget, affordable=lambda plan: plan.macs < 5e6)
    free = propose((3, 32, 32), 10, budget, affordable=lambda _: True)
    assert max(c.plan.macs for c in slow.kept) < 5e6 < min(c.plan.macs for c in free.kept)
    assert "too slow to learn in the time" in slow.reasons()


def test_nothing_in_time_still_gives_the_cheapest():
    proposal = propose((3, 32, 32), 10, Budget(params=100_000), affordable=lambda _: False)
    (only,) = proposal.kept
    fitting = [c for c in proposal.planned if c.plan.params <= 100_000]
    assert only.plan.macs == min(c.plan.macs for c in fitting)


def test_impossible_budget_names_the_nearest_net():
    with pytest.raises(BudgetError, match=r"the nearest, .* allow at least params<=") as caught:
        propose((3, 32, 32), 10, Budget(params=100, macs=50_000_000), affordable=lambda _: True)
    least = int(str(caught.value).split("params<=")[1].split(",")[0])
    assert propose((3, 32, 32), 10, Budget(params=least), affordable=lambda _: True).kept
