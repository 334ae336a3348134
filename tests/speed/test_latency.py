"""Latency: arithmetic of rates, keeping them, and one real measurement."""

from __future__ import annotations

import json

import pytest

import netwright as nw
from netwright.cli import main
from netwright.speed import latency, measure, regression
from netwright.speed.latency import (
    Rates,
    Setting,
    amounts,
    keep,
    kind,
    kinds,
    latest,
    predict,
    rates_kept,
)

HOW = Setting("a machine", 2)
ONE = dict.fromkeys(kinds(), (1.0, 0.0, 0.0, 0.0, 0.0, 0.0))


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_every_row_of_every_kind_is_counted_once():
    plan = nw.net("mobilenet_v2").plan()
    found = [kind(row) for row in plan]
    counted = [name for name in found if name is not None]
    assert {"convolution", "pointwise", "depthwise", "matrix", "light"} <= {*counted}
    assert predict(plan, Rates(HOW, ONE, 0.0)).seconds == len(counted)
    work = dict.fromkeys(kinds(), (0.0, 1.0, 0.0, 0.0, 0.0, 0.0))
    ops = sum(row.ops for row, name in zip(plan, found, strict=True) if name and not row.macs)
    assert predict(plan, Rates(HOW, work, 0.0)).seconds == plan.macs + ops


@pytest.mark.parametrize(
    ("unit", "shape", "wanted"),
    [
        (nw.Conv(8), (4, 9, 9), "convolution"),
        (nw.Conv(8, 1), (4, 9, 9), "pointwise"),
        (nw.Conv(4, groups=4), (4, 9, 9), "depthwise"),
        (nw.Conv(4, groups=2), (4, 9, 9), "grouped"),
        (nw.Linear(3), (4,), "matrix"),
        (nw.MaxPool(2), (4, 9, 9), "pool"),
        (nw.GlobalAvgPool(), (4, 9, 9), "pool"),
        (nw.SiLU(), (4, 9, 9), "curve"),
        (nw.LayerNorm(), (4, 9, 9), "norm"),
        (nw.ChannelShuffle(2), (4, 9, 9), "move"),
        (nw.ReLU(), (4, 9, 9), "light"),
        (nw.BatchNorm(), (4, 9, 9), "light"),
        (nw.WeightNorm(nw.Conv(8)), (4, 9, 9), "convolution"),
        (nw.WeightStandardisation(nw.Conv(8, 1)), (4, 9, 9), "pointwise"),
        (nw.MaxNorm(nw.Conv(4, groups=4)), (4, 9, 9), "depthwise"),
        (nw.MaxNorm(nw.Linear(3)), (4,), "matrix"),
        (nw.BlurPool(), (4, 9, 9), "depthwise"),
        (nw.FilterBank("box"), (4, 9, 9), "depthwise"),
        (nw.GeM(), (4, 9, 9), "pool"),
        (nw.Cutout(4), (4, 9, 9), None),
        (nw.ShakeDrop(), (4, 9, 9), "light"),
        (nw.Flatten(), (4, 9, 9), None),
        (nw.Dropout(), (4, 9, 9), None),
    ],
)
def test_kinds(unit, shape, wanted):
    (row,) = nw.Net(unit, shape).plan()
    assert kind(row) == wanted


def test_a_rewritten_net_keeps_its_convolutions():
    plain = nw.net("resnet50")
    found = [kind(row) for row in plain.rewrite("weight-standardise").plan()]
    wanted = [kind(row) for row in plain.plan()]
    for name in ("convolution", "pointwise"):
        assert found.count(name) == wanted.count(name) > 10


def test_bytes_and_work_scale_with_the_batch():
    (row,) = nw.Net(nw.Conv(8, bias=False), (4, 9, 9)).plan()
    work = row.macs
    assert amounts(row, 2, 4) == (1, 2 * work, work / 2, work / 4, 2 * 4 * (324 + 648), 4 * 288)


def test_the_latest_rates_of_a_setting_are_kept(folder):
    assert rates_kept() == []
    assert nw.net("lenet5").plan().latency() is None
    keep(Rates(HOW, ONE, 0.1))
    keep(Rates(Setting("a machine", 2, "bfloat16"), ONE, 0.2))
    where = keep(Rates(HOW, ONE, 0.3))
    assert where.parent.parent == folder
    assert [rates.error for rates in rates_kept()] == [0.2, 0.3]
    assert latest("bfloat16").error == 0.2
    found = nw.net("lenet5").plan().latency()
    assert found.low < found.seconds < found.high
    where.write_text('{"rates": [{"setting": 3}]}')
    assert rates_kept() == []


def test_summary_tells_it(capsys):
    keep(Rates(HOW, ONE, 0.1))
    with pytest.raises(SystemExit):
        main(["summary", "lenet5"])
    assert "predicted" in capsys.readouterr().out


@pytest.mark.slow
def test_measuring_and_the_commands(capsys, monkeypatch):
    few = list(measure._probes())
    monkeypatch.setattr(measure, "_probes", lambda: iter(few[:22]))
    monkeypatch.setattr(measure, "HELD_OUT", (("squeezenet1_1", 64), ("mobilenet_v2", 64)))
    monkeypatch.setattr(measure, "PATIENCE", 0.002)
    rates = regression.rates
    monkeypatch.setattr(
        regression, "rates", lambda rows, took: rates(rows, took) if rows else (0.0,) * 6
    )
    with pytest.raises(SystemExit) as stop:
        main(["calibrate", "--json"])
    assert stop.value.code == 0
    made = json.loads(capsys.readouterr().out)
    assert {*made["seconds"]} == {*kinds()}
    assert made["error"] >= 0
    assert rates_kept()[0].setting == measure.setting()
    with pytest.raises(SystemExit) as stop:
        main(["bench", "lenet5", "resnet20_cifar10", "--json"])
    assert stop.value.code == 0
    nets = json.loads(capsys.readouterr().out)["nets"]
    assert [net["name"] for net in nets] == ["lenet5", "resnet20_cifar10"]
    assert all(net["seconds"] > 0 and net["predicted"] > 0 for net in nets)


def test_a_fit_finds_the_rates():
    rows = [(1.0, float(n), 0.0, 0.0, float(n % 7), 0.0) for n in range(1, 30)]
    took = [2 * row[0] + 3 * row[1] + 0.5 * row[4] for row in rows]
    assert regression.rates(rows, took) == pytest.approx((2, 3, 0, 0, 0.5, 0), abs=1e-3)


def test_the_spread_of_ratios():
    mean, error = latency.spread([2.0, 8.0])
    assert mean == pytest.approx(4)
    assert error == pytest.approx(0.98, abs=0.01)


def test_a_type_that_cannot_be_run(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["bench", "lenet5", "--dtype", "int8"])
    assert stop.value.code == 2
    assert "float32" in capsys.readouterr().err
