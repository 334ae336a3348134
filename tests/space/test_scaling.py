"""Scaling to a budget: the largest that fits; and `check`, which says whether one does."""

from __future__ import annotations

import json
import re
from contextlib import suppress

import pytest

import netwright as nw
from netwright.cli import main
from netwright.core.net import Net
from netwright.rules.scale import strided
from netwright.space.scaling import SMALLEST, WAYS
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
    assert made.input[1] % 32 == 0
    larger = made.but(input=(3, *[side + 32 for side in made.input[1:]]))
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


@pytest.mark.parametrize(
    ("name", "stride", "factor"),
    [("convnext_tiny", 32, 20e9 / 4.46e9), ("unet", 16, 0.5), ("unet", 16, 2), ("hrnet_w18", 32, 2),
     ("inception_v3", 32, 2), ("efficientnet_b0", 32, 3), ("fcn8s", 32, 0.5)],
)  # fmt: skip
@pytest.mark.parametrize("by", ["resolution", "compound"])
def test_sides_change_by_whole_strides(name, stride, factor, by):
    net = nw.net(name)
    made = nw.scale(net, macs=factor * net.plan().macs, by=by)
    assert all((m - n) % stride == 0 for n, m in zip(net.input[1:], made.input[1:], strict=True))
    assert 0.4 * factor < made.plan().macs / net.plan().macs <= factor


def test_time_and_channels_stay():
    for name, channel in (("conv_lstm", 1), ("cnn_lstm", 1), ("resnet18", 0), ("c3d", 0)):
        net = nw.net(name)
        made = nw.scale(net, macs=2 * net.plan().macs, by="resolution")
        assert made.input[: channel + 1] == net.input[: channel + 1]
        assert made.input[-1] >= net.input[-1]


def marked(names):
    """All nets, of which the suite takes every thirty-second."""
    return [n if i % 32 == 0 else pytest.param(n, marks=pytest.mark.exhaustive)
            for i, n in enumerate(names)]  # fmt: skip


REASONS = {
    "compound": "does not fit a map|by their numbers",
    "width": "but only to macs|by their numbers",
    "depth": "but only to macs|it has no stage|its stages keep a block each",
    "resolution": "does not fit a map",
}
"""Why nets cannot be scaled, by the way to scale."""


@pytest.mark.parametrize("factor", [0.5, 2])
@pytest.mark.parametrize("by", WAYS)
@pytest.mark.parametrize("name", marked(nw.nets()))
def test_every_net_is_scaled_or_says_why_not(name, by, factor):
    net = nw.net(name)
    plan = net.plan()
    bound = factor * plan.macs
    try:
        made = nw.scale(net, macs=bound, by=by).plan()
    except nw.BudgetError as error:
        assert re.search(REASONS[by], str(error))  # noqa: PT017
        if "but only to" in str(error):
            with suppress(nw.ShapeError):  # the smallest is smaller than its windows
                smallest = WAYS[by](net, SMALLEST).plan()
                assert smallest.macs > bound
        return
    steps = 0.35 if by in ("depth", "resolution") else 0.45  # what a step may miss
    assert steps * bound < made.macs <= bound
    assert made.output[0] == plan.output[0]


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("alexnet", {"macs": 2e9, "by": "depth"}, "nothing of alexnet .* depth: it has no stage"),
        ("mobilenet_v3_small", {"macs": 4e7, "by": "depth"}, "by depth: its stages keep a block"),
        ("randwire_ws_small", {"macs": 1e8, "by": "depth"}, "nothing of randwire_ws_small changes"),
        ("alexnet", {"macs": 1e6, "by": "resolution"}, "but only to macs ≤ .* does not fit"),
        ("lenet5_original", {"macs": 1e9, "by": "width"}, "by width: .* channels by their numbers"),
    ],
)
def test_the_reason_is_told(name, asked, said):
    with pytest.raises(nw.NetwrightError, match=said):
        nw.scale(nw.net(name), **asked)


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


@pytest.mark.parametrize(
    ("unit", "input", "wanted"),
    [
        (nw.LocalAttention(2), (20, 16), (20, 16)),
        (nw.MultiHeadAttention(2), (20, 16), (20, 16)),
        (nw.LSTM(4), (20, 16), (20, 16)),
        (nw.ConvLSTM(4), (5, 1, 8, 8), (5, 1, 16, 16)),
        (nw.TimeDistributed(nw.Conv(4)), (5, 1, 8, 8), (5, 1, 16, 16)),
        (nw.Conv(4), (3, 8, 8), (3, 16, 16)),
    ],
)
def test_only_positions_of_images_are_scaled(unit, input, wanted):
    assert strided(Net(unit, input), 2.0).input == wanted
