"""From seconds to nets and epochs: speed, rungs, the clock."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import netwright as nw
from netwright.data import load
from netwright.data.augment import Mirroring
from netwright.errors import RunError
from netwright.space.families import small
from netwright.speed.machine import file_of
from netwright.speed.training import Speed
from netwright.train import Settings, fit
from netwright.train import speeds as measuring
from netwright.train.decide import decide
from netwright.train.from_nothing import QUICK_NETS, QUICK_SIDES
from netwright.train.halving import epochs_within, rungs, work
from netwright.train.job import Job
from netwright.train.recipe import Recipe
from netwright.train.speeds import SPEED, measured, speeds
from squares import TINY

BUDGET = "params<=1M, macs<=50M, memory<=20MB"
FAST, SLOW = Speed(1e-6, 1e-12, 1e-12), Speed(1e-3, 1e-10, 1e-9)


@given(st.integers(1, 30), st.integers(1, 100))
def test_rungs_end_with_one_net_and_all_epochs(nets, epochs):
    made = rungs(nets, epochs)
    assert made[0].nets == nets
    assert (made[-1].nets, made[-1].epochs) == (1, epochs)
    for before, after in pairwise(made):
        assert before.nets > after.nets
        assert before.epochs <= after.epochs


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=8), st.floats(1, 1e4))
def test_the_epochs_fit_in_the_time(costs, seconds):
    epochs = epochs_within(costs, seconds, most=96)
    assert epochs == 1 or work(costs, epochs) <= seconds


def test_the_rate_warms_up_and_falls_to_nothing():
    recipe = Recipe()
    rates = [recipe.rate_at(step, 100) for step in range(100)]
    assert 0 < rates[0] < rates[10] < max(rates) == pytest.approx(recipe.rate, rel=0.1)
    assert rates[-1] < 0.01 * recipe.rate
    assert np.argmax(rates) == 15


def test_more_time_means_larger_nets_or_more_epochs(squares, monkeypatch):
    monkeypatch.setattr("netwright.train.from_nothing.speeds", lambda: {"fp32": SLOW, "bf16": SLOW})
    data = load(squares)
    times = (0.1, 2, 150)
    jobs = [decide(Settings("x", BUDGET, minutes=minutes), data)[0] for minutes in times]
    assert all(job.work <= 60 * 0.88 * m for job, m in zip(jobs, times, strict=True))
    macs = [max(approach.net.plan().macs for approach in job.approaches) for job in jobs]
    assert macs[0] < macs[1] <= macs[2]
    epochs = [job.approaches[0].epochs for job in jobs]
    assert epochs[0] <= epochs[1] <= epochs[2] == 300
    assert jobs[0].precision == "fp32"
    assert Job.from_json(json.loads(json.dumps(jobs[1].to_json()))) == jobs[1]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Enough small photos in colour for a recipe of their own."""
    file, random = tmp_path_factory.mktemp("photos") / "photos.npz", np.random.default_rng(0)
    images = random.integers(0, 256, (16_000, 25, 25, 3), dtype=np.uint8)
    np.savez(file, images=images, labels=np.arange(len(images)) % 4)
    return load(file)


def test_many_small_photos_get_the_widest_net_that_learns_enough_in_the_time(photos, monkeypatch):
    measured = list[str]()

    def step_seconds(net, recipe, precision):
        measured.append(net.name)
        return recipe.batch * net.plan().macs / 1e11

    monkeypatch.setattr("netwright.train.pace.step_seconds", step_seconds)
    nets = [(minutes, decide(Settings("x", minutes=minutes), photos)[0].approaches[0])
            for minutes in (1, 3, 30)]  # fmt: skip
    assert [approach.name for _, approach in nets] == [
        "airbench94_cifar10", "airbench94_cifar10", "airbench95_cifar10",
    ]  # fmt: skip
    assert [approach.recipe.name for _, approach in nets] == ["airbench"] * 3
    assert nets[-1][1].epochs >= 8
    assert measured.count("airbench95_cifar10") == 2  # once a precision, where it is taken
    job, _ = decide(Settings("x", epochs=1), photos)
    assert [approach.name for approach in job.approaches] == ["airbench94_cifar10"]
    job, _ = decide(Settings("x", budget="params<=3M"), photos)
    assert [approach.name for approach in job.approaches] == ["airbench94_cifar10"]
    job, _ = decide(Settings("x", budget="params<=50K", epochs=1), photos)
    assert len(job.approaches) > 1


@pytest.mark.parametrize("side", QUICK_SIDES)
def test_small_photos_of_any_such_side_suit_their_net(side):
    for name in QUICK_NETS:
        assert nw.net(name, input=(3, side, side)).plan().output == (10,)


def test_the_faster_precision_is_taken_when_it_pays(squares, monkeypatch):
    data = load(squares)
    monkeypatch.setattr("netwright.train.from_nothing.speeds", lambda: {"fp32": SLOW, "bf16": FAST})
    assert decide(Settings("x", BUDGET), data)[0].precision == "bf16"
    assert decide(Settings("x", BUDGET, epochs=3), data)[0].precision == "fp32"


@pytest.mark.parametrize("words", [{}, {"net": "resnet20_cifar10"}, {"recipe": "fast-small"}])
@pytest.mark.parametrize("flip", [True, False])
def test_mirror_images_are_learnt_from_where_asked_for(squares, words, flip):
    settings = Settings(
        "x", **{"budget": BUDGET, "epochs": 1, "transfer": "none", **words}, flip=flip
    )
    job, _ = decide(settings, load(squares))
    for approach in job.approaches:
        assert any(isinstance(op, Mirroring) for op in approach.recipe.operations) == flip


@pytest.mark.parametrize("name", ["fcn_resnet50", "unet_scse"])
def test_a_net_that_does_not_classify_is_refused(squares, name):
    with pytest.raises(RunError, match=r"gives 3x\d+x\d+ for 3 classes; wanted a net that class"):
        decide(Settings("x", net=name, size=32, epochs=1, transfer="none"), load(squares))


def test_the_clock_cuts_between_epochs(squares, tmp_path, monkeypatch):
    monkeypatch.setattr("netwright.train.from_nothing.speeds", lambda: {"fp32": FAST, "bf16": FAST})
    run = fit(squares, budget=TINY, minutes=1e-4, out=tmp_path / "run")
    assert run.metrics["cut"] is True
    assert [trial["epochs"] for trial in run.metrics["trials"]] == [1]
    assert "The time was up" in (run.path / "report.html").read_text()


def test_the_speed_is_measured_once(monkeypatch):
    calls = []
    monkeypatch.setattr("netwright.speed.machine.QUIET", 0.0)  # whatever else is at work
    monkeypatch.setattr(measuring, "measured", lambda precision: calls.append(precision) or SLOW)
    assert speeds() == speeds() == {"fp32": SLOW, "bf16": SLOW}
    assert calls == ["fp32", "bf16"]
    kept = json.loads(file_of(SPEED).read_text())
    (entry,) = kept.values()
    wrong = ({"unit": 1.0}, {"unit": "a", "mac": 1.0, "element": 1.0}, 3)
    broken = [entry | {"value": {"fp32": value, "bf16": value}} for value in wrong]
    texts = ["{broken", *(json.dumps(dict.fromkeys(kept, own)) for own in broken)]
    for i, text in enumerate(texts, 2):
        file_of(SPEED).write_text(text)
        assert speeds()["fp32"] == SLOW
        assert calls == ["fp32", "bf16"] * i


def test_a_measurement_is_positive_and_grows_with_the_net(monkeypatch):
    monkeypatch.setattr(measuring, "REPEATS", 2)
    monkeypatch.setattr(measuring, "PROBES", measuring.PROBES[:2])
    speed = measured("fp32")
    large, tiny = (
        small("plain", (3, 16, 16), 10, width=w, depth=2, stages=2).plan() for w in (64, 8)
    )
    assert speed.step(large, 64) > speed.step(tiny, 64) > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": -1},
        {"minutes": float("nan")},
        {"epochs": 0},
        {"size": 4},
        {"seed": -1},
        {"seed": 2**32},
        {"epochs": "3"},
        {"epochs": 2.5},
        {"minutes": "5"},
        {"net": small("plain", (3, 16, 16), 3, width=4, depth=1, stages=2)},
        {"recipe": Recipe()},
        {"rate": [0.1]},
        {"log": None},
    ],
)
def test_settings_are_checked(wrong):
    with pytest.raises(RunError, match="wanted"):
        Settings("x", **wrong)


def test_the_space_is_found_by_its_names() -> None:
    import netwright.space.families
    from netwright.space import grid, small

    assert small is netwright.space.families.small
    assert grid is netwright.space.families.grid
