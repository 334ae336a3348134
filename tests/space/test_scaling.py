"""Scaling to a budget: the largest that fits; and `check`, which says whether one does."""

from __future__ import annotations

import json

import pytest

import netwright as nw
from netwright.cli import main
from netwright.space.scaling import WAYS
from oracles import assert_plan_is_true

NETS = ("resnet50", "mobilenet_v2")


@pytest.mark.parametrize("by", WAYS)
@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("factor", [0.5, 3])
def test_the_result_fits_and_is_near_the_bound(name, by, factor):
    net = nw.net(name)
    bound = factor * net.plan().macs
    made = nw.scale(net, macs=bound, by=by)
    assert made.plan().macs <= bound
    assert made.plan().macs > 0.6 * bound  # depths come in whole blocks
    assert made.plan().output == net.plan().output
    if by != "resolution":
        assert_plan_is_true(made)


def test_resolution_is_all_but_exact():
    made = nw.scale(nw.net("resnet50"), macs=1e9, by="resolution")
    larger = made.but(input=(3, *[side + 8 for side in made.input[1:]]))
    assert made.plan().macs <= 1e9 < larger.plan().macs


def test_several_bounds_hold_together():
    plan = nw.scale(nw.net("resnet50"), params=5e6, macs=1e9, memory=40 * 2**20).plan()
    assert plan.params <= 5e6
    assert plan.macs <= 1e9
    assert plan.memory <= 40 * 2**20


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "such as macs=300e6"),
        ({"macs": 0}, "above 0"),
        ({"macs": 1e6, "by": "depth"}, "does not come within"),
        ({"macs": 1e9, "by": "dept"}, "near: depth"),
    ],
)
def test_what_cannot_be_is_told(asked, said):
    with pytest.raises(nw.NetwrightError, match=said):
        nw.scale(nw.net("resnet50"), **asked)


def run(capsys, *arguments, code=0):
    with pytest.raises(SystemExit) as stop:
        main([*arguments])
    out = capsys.readouterr()
    assert stop.value.code == code, out.err
    return out.out + out.err


def test_check(capsys):
    assert "fits" in run(capsys, "check", "mobilenet_v2", "--budget", "macs<=310M, memory<=64MB")
    text = run(capsys, "check", "resnet50", "mobilenet_v2", "--budget", "params<=10M", code=1)
    assert "params is too much" in text
    asked = ["check", "resnet50", "--budget", "macs<=1M,params<=1G", "--json"]
    record = json.loads(run(capsys, *asked, code=1))
    assert record["nets"][0]["broken"] == ["macs"]
    assert "cannot be read" in run(capsys, "check", "resnet50", "--budget", "small", code=2)


def test_scale_command(capsys, tmp_path):
    out = tmp_path / "small.json"
    run(capsys, "scale", "resnet50", "--budget", "macs<=300M", "--by", "width", "--out", str(out))
    assert nw.from_json(out.read_text()) == nw.scale(nw.net("resnet50"), macs=300e6, by="width")
