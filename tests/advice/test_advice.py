"""Advice: findings are true of the plan, remedies are nets that keep their promise."""

from __future__ import annotations

import json

import pytest

import netwright as nw
from netwright.advice.context import idle
from netwright.advice.finding import Case
from netwright.cli import main
from netwright.core.net import Net
from oracles import assert_plan_is_true

CASES = [
    ("resnet18", (3, 32, 32), None),
    ("resnet18", (3, 224, 224), 16),
    ("mobilenet_v2", (3, 32, 32), None),
    ("alexnet", None, None),
    ("vgg16_bn", None, None),
    ("shufflenet_g3_w1", None, None),
    ("darknet19", (3, 64, 64), None),
]


def found(name, input=None, object=None):
    return nw.advise(nw.net(name), input, object=object)


def check(net, input=None, object=None):
    """Findings are true of the plan, remedies are what their rules make of the net."""
    net = net.but(input=input)
    plan = net.plan()
    paths = {row.path: row for row in plan}
    findings = nw.advise(net, object=object)
    for finding in findings:
        assert set(finding.paths) <= set(paths)
        work = sum(paths[path].macs for path in finding.paths)
        assert finding.share == pytest.approx(work / plan.macs)
        for remedy in finding.remedies:
            assert remedy.net == net.rewrite(*remedy.rules)
            after = remedy.net.plan()
            assert after.output == plan.output
            for total in ("params", "macs", "memory"):
                change = remedy.changes[total]
                assert change == (getattr(plan, total), getattr(after, total))
    return [remedy.net for finding in findings for remedy in finding.remedies]


@pytest.mark.parametrize(("name", "input", "object"), CASES)
def test_remedies_keep_their_promise(name, input, object):
    for net in check(nw.net(name), input, object):
        assert_plan_is_true(net)


@pytest.mark.parametrize("name", ["fcn32s", "hrnetv2_w18"])
def test_remedies_give_maps_of_the_same_size(name):
    """Of nets for dense prediction, where other strides in the stem change the output."""
    check(nw.net(name, input=(3, 64, 64)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", nw.nets())
def test_remedies_of_every_net(name):
    net = nw.net(name)
    check(net)
    if len(net.input) == 3 and net.input[0] == 3:
        try:
            net.plan((3, 64, 64))
        except nw.ShapeError:
            return
        check(net, (3, 64, 64))


def test_the_variants_of_resnet18_for_small_things_come_out():
    remedies = {r.rules: r.net.plan() for r in found("resnet18", object=16)[0].remedies}
    a, root = (nw.net(name).plan() for name in ("resnet18_a", "root_resnet18"))
    one = remedies[("no-first-pool",)]
    assert (one.params, one.macs, one.field.size) == (a.params, a.macs, a.field.size)
    b = nw.net("resnet18").rewrite("stem-stride-1").plan()
    assert remedies[("stem-stride-1",)].macs == b.macs
    assert [rules[-1] for rules in remedies][-1] == "stem-3x3"
    assert root.params == remedies[("no-first-pool", "stem-stride-1", "stem-3x3")].params


def test_a_net_of_reweighted_convolutions_gets_the_advice_of_the_net_it_was():
    plain = nw.net("resnet50", input=(3, 64, 64))
    findings = nw.advise(plain)
    again = nw.advise(plain.rewrite("weight-standardise"))
    assert len(findings) >= 2
    assert [(f.kind, f.paths) for f in again] == [(f.kind, f.paths) for f in findings]


def test_a_bias_before_a_batch_norm_is_seen_under_a_norm_of_weights():
    for unit in (nw.Conv(8), nw.WeightNorm(nw.Conv(8)), nw.MaxNorm(nw.Conv(8))):
        net = Net(nw.Sequential(unit, nw.BatchNorm(), nw.ReLU()), (3, 16, 16))
        assert [f.paths for f in nw.advise(net) if f.kind == "bias"] == [("0",)]


def test_idle_layers_are_those_behind_full_sight():
    chain = nw.Sequential(*[nw.Conv(4, 3)] * 6, nw.GlobalAvgPool(), nw.Linear(2))
    net = Net(chain, (3, 7, 7))
    case = Case(net, net.plan(), (7, 7))
    # fields after each: 3, 5, 7, ...: the fourth reads maps that see all 7
    assert [row.path for row in idle(case)] == ["3", "4", "5"]
    (finding,) = [f for f in nw.advise(net) if f.kind == "field"]
    assert finding.paths == ("3", "4", "5")
    assert "the border layer is 3; the critical layer is 3" in finding.said


def test_a_shortcut_keeps_layers_useful():
    block = nw.Sum(body=nw.Conv(4, 3), shortcut=nw.Identity())
    net = Net(nw.Sequential(nw.Conv(4, 3), *[block] * 8), (3, 7, 7))
    assert idle(Case(net, net.plan(), (7, 7))) == []


def test_a_tail_that_sees_nothing_new_is_cut():
    remedies = next(f for f in found("mobilenet_v2", (3, 32, 32)) if f.kind == "field").remedies
    cut = next(r for r in remedies if r.rules[0].startswith("without:"))
    assert cut.changes["macs"].ratio < 0.5
    assert cut.net.plan().output == (1000,)


def test_what_says_the_classes_stays():
    """A classifier that is a convolution sees nothing new either, and is no tail."""
    for spec in (
        nw.Sequential(*[nw.Conv(4, 3)] * 6, nw.Conv(2, 1), nw.GlobalAvgPool()),
        nw.Sequential(a=nw.Conv(4, 7), b=nw.Conv(4, 7), head=nw.Sequential(nw.Conv(2, 7))),
    ):
        for made in check(Net(spec, (3, 7, 7))):
            assert made.plan().output[0] == 2


def test_width_without_rank():
    wide = nw.Sequential(nw.Conv(64, 1), nw.Conv(8, 1), nw.ReLU(), nw.Conv(64, 1), nw.ReLU())
    finding = next(f for f in nw.advise(Net(wide, (16, 8, 8))) if f.kind == "width")
    assert finding.paths == ("0",)
    (remedy,) = finding.remedies
    assert remedy.rules == ("width:0,16",)
    assert remedy.net.plan().row("0").output[0] == 16
    assert remedy.changes["macs"].after < remedy.changes["macs"].before


@pytest.mark.parametrize(
    ("name", "rules", "check"),
    [
        ("vgg16_bn", ["no-bias"], lambda a, b: a.params - b.params == 4224 and a.macs == b.macs),
        ("resnet18", ["widen:0.9", "align:12"],
         lambda a, b: all(r.output[0] % 12 == 0 for r in b.rows[:-1] if r.macs)),
        ("resnet18", ["without:stage4"], lambda a, b: b.row("head.pool").input[0] == 256),
    ],
)  # fmt: skip
def test_rules(name, rules, check):
    before, after = nw.net(name), nw.net(name).rewrite(*rules)
    assert check(before.plan(), after.plan())
    assert_plan_is_true(after)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("without:stage9", "near: stage"),
        ("without:stage1.0.residual.body", "no Sequential"),
        ("no-bias", "nothing in"),
    ],
)
def test_rules_refuse(rule, said):
    with pytest.raises(nw.NetwrightError, match=said):
        nw.net("resnet18").rewrite(rule)


def run(capsys, *arguments, code=0):
    with pytest.raises(SystemExit) as stop:
        main(["advise", *arguments])
    out = capsys.readouterr()
    assert stop.value.code == code, out.err
    return out.err if code else out.out


def test_the_command(capsys, tmp_path):
    text = run(capsys, "resnet18", "--input", "3x32x32")
    assert "1. layers that see everything already" in text
    assert "1a  no-first-pool" in text
    record = json.loads(run(capsys, "resnet18", "--input", "3x32x32", "--json"))
    assert record["findings"][0]["remedies"][0]["rules"] == ["no-first-pool"]
    out = tmp_path / "new.json"
    run(capsys, "resnet18", "--input", "3x32x32", "--apply", "1a,1b", "--out", str(out))
    made = nw.from_json(out.read_text())
    assert made.spec == nw.net("resnet18").rewrite("no-first-pool", "stem-stride-1").spec
    assert made.input == (3, 32, 32)
    assert "nothing to mend" in run(capsys, "resnet50")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["resnet18", "--input", "3x32x32", "--apply", "9z"], "there are: 1a, 1b"),
        (["resnet18", "--out", "x.json"], "--apply"),
        (["resnet18", "--object", "0"], "at least 1"),
    ],
)
def test_the_command_refuses(capsys, arguments, said):
    assert said in run(capsys, *arguments, code=2)
