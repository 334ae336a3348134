"""Specs with choices in them, and the spaces they make."""

from __future__ import annotations

import random

import pytest
import torch

import netwright as nw
from netwright import Choice, ConvNormAct, Identity, MaxPool, Net, Sequential, Stage, Sum
from netwright.space.choice_rows import WAYS
from netwright.space.choices import ChoiceSpace
from netwright.space.digits import Digit
from netwright.space.limits import Limits
from netwright.space.search_space import Space

TAIL = {"pool": nw.GlobalAvgPool(), "fc": nw.Linear(10)}


def space_of(*parts: nw.Spec, **named: nw.Spec) -> ChoiceSpace:
    return nw.space(Net(Sequential(*parts, **named, **TAIL), (3, 16, 16), "mine"))


POOL = MaxPool(3, 1, padding=1)
SPACES = {
    "a unit": (space_of(Choice(ConvNormAct(8), POOL)), 2, 2),
    "a width and a kernel": (space_of(ConvNormAct(Choice(8, 16), Choice(1, 3, 5))), 6, 6),
    "a depth": (space_of(Stage(nw.BasicBlock(8), Choice(1, 2, 3))), 3, 3),
    "one choice twice": (
        space_of(ConvNormAct(Choice(8, 16, name="w")), ConvNormAct(Choice(8, 16, name="w"))), 2, 2),
    "two choices": (space_of(ConvNormAct(Choice(8, 16)), ConvNormAct(Choice(8, 16))), 4, 4),
    "a choice in an option": (space_of(Choice(ConvNormAct(8, Choice(3, 5, 7)), Identity())), 4, 4),
    "an edge": (
        space_of(nw.Graph(a=ConvNormAct(8), b=ConvNormAct(8, 1),
                          c=nw.Node(nw.Cat(), "a", Choice("input", "b")))), 2, 2),
    "an operation of a genotype": (
        space_of(ConvNormAct(8), nw.EdgeCell((Choice("none", "conv_3x3", "skip_connect"),))), 3, 3),
    "a row": (space_of(*[Choice(ConvNormAct(3), Identity())] * 4), 16, 5),
    "branches": (space_of(Sum(*[Choice(ConvNormAct(8, 1), ConvNormAct(8, 3))] * 3)), 8, 4),
    "activations": (space_of(ConvNormAct(8, act=Choice(nw.ReLU(), nw.GELU(), None))), 3, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", SPACES)
def test_choices_anywhere_make_a_space(name: str) -> None:
    space, size, functions = SPACES[name]
    codes = list(space.codes())
    assert len(codes) == space.size == size
    nets = [space.net(code) for code in codes]
    assert len({net.hash for net in nets}) == size
    assert [space.code(net) for net in nets] == codes
    assert len({space.canonical(code) for code in codes}) == functions
    for code, net in zip(codes, nets, strict=True):
        assert not net.spec.is_open
        assert nw.from_json(net.to_json()).spec == net.spec
        key = space.canonical(code)
        assert space.canonical(key) == key
        assert (space.totals(key), space.features(key)) == (
            space.totals(code),
            space.features(code),
        )
        assert all(space.fits(other) for other in space.neighbours(code))


CONV, WIDE = ConvNormAct(3), ConvNormAct(3, 5)
STILL, TWICE = Identity(), Sequential(Identity(), Identity())
ONE_FUNCTION = {
    "identities": (STILL, TWICE),
    "no parts": (STILL, Sequential()),
    "an identity behind": (CONV, Sequential(CONV, STILL)),
    "an identity before": (CONV, Sequential(STILL, CONV)),
    "chains in chains": (Sequential(CONV, WIDE), Sequential(Sequential(CONV, TWICE), WIDE)),
    "names": (Sequential(CONV, WIDE), Sequential(a=CONV, b=WIDE)),
    "a branch": (Sum(CONV, STILL), Sum(Sequential(CONV, STILL), TWICE)),
    "streams": (Sequential(nw.Fork(CONV, WIDE), nw.Concat(STILL, STILL)),
                Sequential(nw.Fork(a=CONV, b=WIDE), nw.Concat(STILL, TWICE))),
    "a graph that is a chain": (Sequential(CONV, WIDE), nw.Graph(a=CONV, i=STILL, b=WIDE)),
    "a node that nobody reads": (nw.Graph(a=CONV), nw.Graph(b=WIDE, a=nw.Node(CONV, "input"))),
    "a graph of other names": (
        nw.Graph(a=CONV, b=WIDE, c=nw.Node(nw.Add(), "a", "b")),
        nw.Graph(b=CONV, a=WIDE, i=STILL, c=nw.Node(nw.Add(), "b", "i"))),
}  # fmt: skip
TWO_FUNCTIONS = {
    "dropout": (CONV, Sequential(CONV, nw.Dropout(0.1))),
    "another order": (Sequential(CONV, WIDE), Sequential(WIDE, CONV)),
    "an activation": (CONV, Sequential(CONV, nw.ReLU())),
    "twice": (CONV, Sequential(CONV, CONV)),
    "a head that training sees": (CONV, Sequential(CONV, nw.Tap(TAIL["fc"]))),
    "frozen": (CONV, nw.Frozen(CONV)),
    "shared": (Sequential(nw.Shared(CONV, "a"), nw.Shared(CONV, "a")),
               Sequential(nw.Shared(CONV, "a"), nw.Shared(CONV, "b"))),
    "a sum twice": (Sum(CONV, STILL), Sum(CONV, STILL, STILL)),
    "other edges": (nw.Graph(a=CONV, b=WIDE, c=nw.Node(nw.Add(), "a", "b")),
                    nw.Graph(a=CONV, b=WIDE, c=nw.Node(nw.Add(), "input", "b"))),
    "a product": (Sum(CONV, STILL), nw.Gate(CONV, STILL)),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_FUNCTION)
def test_options_that_compute_the_same_are_one(name: str) -> None:
    one, other = ONE_FUNCTION[name]
    space = space_of(Choice(one, other))
    assert {space.canonical(code) for code in ("0", "1")} == {"0"}
    x = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    first, second = (space.net(code).build(seed=1).eval() for code in ("0", "1"))
    weights = weights_in_order(first)
    with torch.no_grad():
        for own, weight in zip(weights_in_order(second, of=weights), weights, strict=True):
            own.copy_(weight)
        torch.testing.assert_close(second(x), first(x), rtol=0, atol=0)


def weights_in_order(
    model: torch.nn.Module, of: list[torch.Tensor] | None = None
) -> list[torch.Tensor]:
    """What a model has learnt; of one that has more, the last that fit those of another."""
    own = list(model.state_dict().values())
    return own[len(own) - len(of) :] if of else own


@pytest.mark.parametrize("name", TWO_FUNCTIONS)
def test_options_that_only_look_alike_are_two(name: str) -> None:
    space = space_of(Choice(*TWO_FUNCTIONS[name]))
    assert [space.canonical(code) for code in ("0", "1")] == ["0", "1"]


def chain_of(net: Net) -> tuple[nw.Spec, ...]:
    """The body of a net of chains alone, part by part."""

    def parts(spec: nw.Spec) -> list[nw.Spec]:
        if isinstance(spec, Sequential):
            return [inner for part in spec for inner in parts(part)]
        return [] if spec == Identity() else [spec]

    return tuple(parts(net.spec))


ROWS = {
    "one choice often": [Choice(CONV, STILL, Sequential(CONV, WIDE))] * 6,
    "choices that overlap": [Choice(CONV, STILL), Choice(WIDE, CONV, TWICE), Choice(STILL, CONV),
                             CONV, Choice(STILL, WIDE, Sequential(CONV, CONV)), WIDE,
                             Choice(Sequential(STILL, CONV), CONV, STILL, Sequential(WIDE, CONV)),
                             Choice(CONV, STILL, WIDE)],
    "choices in options and in chains": [
        Choice(CONV, STILL), Sequential(Choice(Sequential(Choice(CONV, STILL), WIDE), STILL), CONV),
        Choice(Sequential(Choice(STILL, WIDE), Choice(CONV, STILL)), STILL),
        Choice(CONV, WIDE), Choice(CONV, STILL), Choice(WIDE, CONV, STILL)],
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_one_where_their_parts_are(name: str) -> None:
    space = space_of(*ROWS[name])
    assert space.size > WAYS
    least = dict[tuple[nw.Spec, ...], str]()
    for code in space.codes():  # in order
        key = least.setdefault(chain_of(space.net(code)), code)
        assert space.canonical(code) == key
    assert len(least) < space.size


def test_a_choice_whose_name_stands_elsewhere_stays_as_it_is() -> None:
    op = Choice(CONV, Sequential(CONV, STILL), name="op")
    many = [ConvNormAct(Choice(*range(1, 20))), Stage(op, 1), ConvNormAct(Choice(*range(1, 20)))]
    assert space_of(op, op).functions == {"0": "0"}
    assert space_of(op, *many).canonical("010") == "010"


def test_codes_of_streams_stand_for_nets_that_can_be_made() -> None:
    """No identity takes two streams, though chains without it do."""
    two = Sequential(nw.Fork(CONV, WIDE), Choice(STILL, Sequential()), Sum(STILL, STILL))
    space = space_of(two, Choice(STILL, TWICE))
    assert list(space.codes()) == ["10", "11"]
    assert all(space.fits(space.canonical(code)) for code in space.codes())


def test_an_open_net_has_json_and_a_hash_but_no_plan() -> None:
    net = Net(Sequential(ConvNormAct(Choice(8, 16)), **TAIL), (3, 16, 16), "mine")
    assert nw.from_json(net.to_json()) == net
    assert eval(repr(net.spec), vars(nw) | {n: getattr(nw, n) for n in dir(nw)}) == net.spec
    for use in (net.plan, net.build):
        with pytest.raises(nw.SpecError, match="a Choice in it that nobody has made"):
            use()


def test_what_a_choice_breaks_is_no_net_of_the_space() -> None:
    # A kernel of 40 without padding does not fit a map of 16; a width of -1 is none at all.
    space = space_of(nw.Conv(Choice(8, -1), kernel=Choice(3, 40), padding="valid"))
    assert space.size == 4
    assert list(space.codes()) == ["00"]
    assert all(space.sample(random.Random(seed)) == "00" for seed in range(5))
    with pytest.raises(nw.SpecError, match="stands for no net"):
        space.net("10")


def test_ordered_choices_are_numbers_that_rise() -> None:
    space = space_of(ConvNormAct(Choice(8, 16, 32), act=Choice(nw.ReLU(), nw.GELU())))
    assert [digit.ordered for digit in space.digits] == [True, False]
    assert [digit.name for digit in space.digits] == ["0.width", "0.act"]


@pytest.mark.parametrize(("make", "why"), [
    (Choice, "no option"),
    (lambda: Choice(8, 16, 8), "twice"),
    (lambda: space_of(ConvNormAct(8)), "no choice in it"),
    (lambda: space_of(ConvNormAct(Choice(8, 16, name="w")), ConvNormAct(Choice(8, 9, name="w"))),
     "differ in their options"),
    (lambda: space_of(Choice(ConvNormAct(Choice(8, 16, name="w")), Identity())), "inside another"),
    (lambda: nw.space("nasbench-201"), "near: nasbench201"),
    (lambda: nw.space(12), "wanted|got 12"),
])  # fmt: skip
def test_wrong_choices_say_why(make, why: str) -> None:
    with pytest.raises(nw.NetwrightError, match=why):
        make()


@pytest.mark.parametrize(("digits", "why"), [
    ([], "own; got none"),
    ([Digit("a", (1, 2)), Digit("a", (1, 2))], "of a name of its own; got a, a"),
    ([Digit("a", ())], "'a' has 0 options, wanted 1 to 1,296"),
    ([Digit("a", tuple(range(1297)))], "'a' has 1,297 options, wanted 1 to 1,296"),
])  # fmt: skip
def test_choices_that_no_code_can_write_are_refused(digits: list[Digit], why: str) -> None:
    with pytest.raises(nw.SpecError, match=why):
        Space("own", digits)


@pytest.mark.parametrize(("text", "why"), [
    ("field<=10", "bounded from below by whole positions: field>=64"),
    ("field>=10.5", "bounded from below"),
    ("latency<=5", "has the unit ''; latency takes: s, ms, us"),
    ("latency<=5ms, latency<=6ms", "names latency twice"),
])  # fmt: skip
def test_limits_that_cannot_be_read_say_why(text: str, why: str) -> None:
    with pytest.raises(nw.BudgetError, match=why):
        Limits.parse(text)
    assert Limits.parse("latency<=1e2ms").latency == pytest.approx(0.1)


def test_more_than_36_options_take_two_letters() -> None:
    space = space_of(ConvNormAct(Choice(*range(1, 51)), Choice(1, 3)))
    codes = list(space.codes())
    assert len(codes) == space.size == 100
    assert codes[-1] == "1d1"
    assert [space.code(space.net(code)) for code in codes] == codes


def test_branches_that_take_a_stream_each_are_not_exchanged():
    either = Choice(nw.Conv(4), nw.Conv(4, 1))
    two = nw.Fork(a=nw.Conv(8), b=nw.Conv(8, 5))
    space = space_of(two, Sum(either, either))
    assert len(space.functions) == space.size == 4
    assert len(space_of(nw.Conv(8), Sum(either, either)).functions) == 3
