"""One kit for every search space, found by itself."""

from __future__ import annotations

import json
import random
from itertools import islice

import pytest

import netwright as nw
from netwright.space.search_space import Space

DRAWN = 12


@pytest.fixture(scope="module", params=nw.spaces())
def space(request: pytest.FixtureRequest) -> Space:
    return nw.space(request.param)


def drawn(space: Space, count: int = DRAWN) -> list[str]:
    draw = random.Random(5)
    return [space.sample(draw) for _ in range(count)]


def test_a_space_is_documented_named_and_prints_its_size(space: Space) -> None:
    assert type(space).__doc__
    assert f"{space.size:,} codes" in repr(space)
    assert space.name in repr(space)
    assert space.size >= 2
    assert all(digit.options for digit in space.digits)


def test_a_sample_follows_from_the_generator(space: Space) -> None:
    assert drawn(space) == drawn(space)
    assert len({*drawn(space, 40)}) > 1


def test_code_and_net_are_each_others_inverse(space: Space) -> None:
    for code in drawn(space):
        net = space.net(code)
        assert space.code(net) == code
        assert json.loads(json.dumps(code)) == code
        assert nw.from_json(net.to_json()) == net
        assert space.code(nw.from_json(net.to_json())) == code


def test_nets_of_a_space_are_planned_and_counted_alike(space: Space) -> None:
    for code in drawn(space, 4):
        plan = space.net(code).plan()
        assert tuple(space.totals(code)) == (plan.params, plan.macs, plan.ops)


def test_the_canonical_code_is_its_own_and_a_net_of_the_same_output(space: Space) -> None:
    for code in drawn(space):
        key = space.canonical(code)
        assert space.canonical(key) == key
        assert space.legal(space.choices(key))
        assert space.net(key).plan().output == space.net(code).plan().output


def test_features_are_those_of_the_function(space: Space) -> None:
    lengths = set[int]()
    for code in drawn(space):
        features = space.features(code)
        assert features == space.features(space.canonical(code))
        assert all(isinstance(number, float) for number in features)
        lengths.add(len(features))
    assert len(lengths) == 1


def test_neighbours_mutants_and_children_are_of_the_space(space: Space) -> None:
    draw = random.Random(3)
    one, other = drawn(space, 2)
    near = space.neighbours(one)
    assert one not in near
    assert len({*near}) == len(near) > 0
    for code in draw.sample(near, min(5, len(near))):
        assert space.fits(code)
        assert one in space.neighbours(code) or len(space.choices(code)) > 6
    child = space.mutate(one, draw)
    assert space.canonical(child) != space.canonical(one)
    assert space.fits(space.crossover(one, other, draw))


def test_the_first_codes_fit(space: Space) -> None:
    for code in islice(space.codes(), 3):
        assert space.fits(code)
        assert space.code(space.net(code)) == code


def test_a_budget_holds_for_all_that_is_drawn(space: Space) -> None:
    costs = sorted(space.totals(code).macs for code in drawn(space, 20))
    bound = costs[len(costs) // 2]
    bounded = space.within(f"macs<={bound}")
    draw = random.Random(1)
    for _ in range(5):
        code = bounded.sample(draw)
        assert bounded.net(code).plan().macs <= bound
        assert bounded.net(bounded.mutate(code, draw)).plan().macs <= bound
    assert space.budget.bounds() == {}


def test_a_budget_nobody_keeps_names_the_nearest_net(space: Space) -> None:
    least = f"{space.name} keeps to params ≤ 1; the nearest"
    with pytest.raises(nw.BudgetError, match=least):
        space.within("params<=1").sample(random.Random(0))


def test_wrong_codes_are_refused_by_what_was_wanted(space: Space) -> None:
    code = drawn(space, 1)[0]
    for wrong in (code + "0", code[:-1], "", "~" * len(code), None, 12):
        with pytest.raises(nw.SpecError, match="is no code of"):
            space.net(wrong)


def test_nets_of_other_kinds_have_no_code(space: Space) -> None:
    for net in (nw.net("lenet5"), space.net(drawn(space, 1)[0]).but(classes=3)):
        with pytest.raises(nw.SpecError, match=space.name):
            space.code(net)
