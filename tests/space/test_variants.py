"""Spaces of one net: the grid of compound scaling, and rewrites."""

from __future__ import annotations

from random import Random

import pytest

import netwright as nw
from netwright.space.compound import Growth, family, growths
from netwright.space.compound_space import CompoundSpace
from netwright.space.named import space_of
from netwright.space.rewrites import RULES, RewriteSpace

SMALL = nw.net("mobilenet_v2", input=(3, 64, 64), classes=5)
TINY = nw.net("resnet20_cifar10", input=(3, 16, 16))


def test_codes_of_the_grid_are_its_growths():
    space = CompoundSpace(SMALL, step=0.1)
    codes = [*space.codes()]
    assert {space.growth(code) for code in codes} == {*growths(0.1)}
    assert all(space.of(space.growth(code)) == code for code in codes)
    for code in codes[::5]:
        net, growth = space.net(code), space.growth(code)
        assert net.spec == nw.rule("scale", 1.0, *growth)(SMALL).spec
        assert net.input[1] == round(64 * growth.size)
        assert abs(growth.work / 2 - 1) <= 0.05


def test_a_search_of_the_grid_tries_every_net_once():
    """The best of `nw.space.growth`, by random search to the end of the grid."""
    space = CompoundSpace(SMALL, step=0.2)
    study = nw.search(space, lambda net: -net.plan().params, trials=99, strategy="random")
    best, scores = nw.space.growth(SMALL, lambda net: -net.plan().params, step=0.2)
    assert "is left to evaluate" in study.stopped
    assert {trial.score for trial in study.trials} == {score for _, score in scores}
    assert len({trial.hash for trial in study.trials}) == len(study.trials)
    assert space.net(space.of(best)).hash == study.best.net.hash


def test_what_was_found_for_b0_grows_to_b7():
    """The published factors are a code of the grid; from it follows the family."""
    space = CompoundSpace("efficientnet_b0")
    code = space.of(Growth(1.2, 1.1, 1.15))
    assert space.fits(code)
    for i, net in enumerate(family(space.start, space.growth(code))):
        published = nw.net(f"efficientnet_b{i}").plan().macs
        assert net.plan().macs == pytest.approx(published, rel=0.11)


def test_rewrites_that_make_one_net_are_one_function():
    space = RewriteSpace(TINY, rules=("se", "deepen", "widen:0.5", "act:SiLU"))
    by_hash = {}
    for code in space.codes():
        by_hash.setdefault(space.net(code).hash, []).append(code)
        assert space.net(code).spec == TINY.rewrite(*space.rules_of(code)).spec
    for codes in by_hash.values():
        assert {*map(space.canonical, codes)} == {codes[0]}
    # Rewrites that commute; an activation before SE is not the one within it, so these do not.
    pairs = [codes for codes in by_hash.values() if len(codes) > 1]
    assert pairs == [["12", "21"], ["13", "31"], ["23", "32"], ["34", "43"]]


def test_a_mutation_is_one_rewrite_more_less_or_other():
    rules, random = ("se", "deepen", "widen:0.5", "act:SiLU"), Random(0)
    space = RewriteSpace(TINY, rules=rules, steps=3)
    for _ in range(20):
        code = space.sample(random)
        before, after = space.rules_of(code), space.rules_of(space.mutate(code, random))
        shared = sum(a == b for a, b in zip(before, after, strict=False))
        assert max(len(before), len(after)) - shared == 1


def test_rules_are_those_that_change_the_net():
    rules = RewriteSpace(TINY).digits[0].options[1:]
    assert {*rules} < {*RULES}
    assert all(TINY.rewrite(rule).hash != TINY.hash for rule in rules)
    assert "no-first-pool" not in rules
    assert "no-first-pool" in RewriteSpace("resnet18").digits[0].options


def test_rules_that_do_not_apply_make_no_net():
    space = RewriteSpace(TINY, rules=("bottleneck", "no-first-pool"))
    assert [*space.codes()] == ["00", "10"]
    for code in ("01", "20", "12"):
        with pytest.raises(nw.SpecError, match=f"'{code}' of rewrites stands for no net"):
            space.net(code)


def test_rewrites_keep_to_a_budget():
    free = RewriteSpace(TINY, rules=("se", "grouped", "widen:0.5", "widen:1.5"))
    space = free.within(f"macs<={TINY.plan().macs}")
    codes = [*space.codes()]
    assert "00" in codes
    assert 1 < len(codes) < len([*free.codes()])
    assert all(space.net(code).plan().macs <= TINY.plan().macs for code in codes)


def test_texts_of_these_spaces():
    space = space_of("rewrites:net=resnet18,rules=('se','widen:2'),steps=1")
    assert [space.net(code).name for code in space.codes()][1] == "resnet18+rewrites:1"
    assert space_of("compound:net=resnet18,classes=10,step=0.1").start.plan().output == (10,)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("rewrites:steps=0", "steps is 0, wanted an integer of at least 1"),
     ("rewrites:rules=('sse',)", "no rule is called 'sse'"),
     ("rewrites:rules=('bottleneck:2,3',)", "takes expansion; got 2 arguments"),
     ("compound:net=resnet8", "no net is called 'resnet8'"),
     ("compound:step=0", "wanted a step of 0.001 to 1"),
     ("compound:work=1", "a work above 1 and up to 64")],
)  # fmt: skip
def test_spaces_of_nothing_are_told(text, wanted):
    with pytest.raises(nw.NetwrightError, match=wanted):
        space_of(text)
