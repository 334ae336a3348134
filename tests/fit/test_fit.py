"""The main job from images to a run folder, and after every kind of break."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from html import unescape
from shlex import quote
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load

import netwright as nw
from netwright.data.augment import Cutout, Shift
from netwright.errors import BudgetError, DataError, RunError, UnknownName
from netwright.space.families import small
from netwright.train import RECIPES, Recipe, Run, Watch, fit, resume
from netwright.train.finish import packed
from netwright.train.learner import Learner
from netwright.train.recipe import read
from netwright.train.training import Training
from netwright.train.views import Views
from netwright.weights import WeightsWarning
from squares import TINY, write_squares

NUMBERS = ("metrics.json", "metrics.jsonl", "weights.safetensors", "net.json", "predictions.csv")
"""Files that hold nothing but what follows from images, settings and seed."""


def numbers(run):
    return {name: (run.path / name).read_bytes() for name in NUMBERS}


class Breaks(Watch):
    """Ctrl-C after so many epochs."""

    def __init__(self, epochs):
        self.epochs, self.closed = epochs, False

    def epoch(self, trial, epoch):
        self.epochs -= 1
        if not self.epochs:
            raise KeyboardInterrupt

    def close(self):
        self.closed = True


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("fit")


@pytest.fixture(scope="module")
def images(home):
    return write_squares(home / "squares")


@pytest.fixture(scope="module")
def whole(home, images):
    """A run that was never interrupted."""
    return fit(images, budget=TINY, out=home / "whole", epochs=4)


def test_a_recipe_may_be_given_as_it_is(home, images):
    """It is kept, resumed by, and compared; the command in the report takes it."""
    own = RECIPES["modern"].but(name="own", batch=16, operations=(Shift(0.25), Cutout()))
    out, words = home / "own", {"budget": TINY, "epochs": 2, "recipe": own}
    with pytest.raises(KeyboardInterrupt):
        fit(images, out=out, watch=Breaks(1), **words)
    with pytest.raises(RunError, match=r"begun with recipe .* got .*leave it out"):
        resume(out, images, recipe=own.but(batch=8))
    done = resume(out, images, **words)
    assert numbers(done) == numbers(fit(images, out=home / "own-whole", **words))
    assert read(done.record["settings"]["recipe"]) == own
    assert Recipe.from_json(done.record["job"]["recipe"]).but(batch=16, rate=own.rate) == own
    page = unescape((out / "report.html").read_text())
    assert f"--recipe {quote(done.record['settings']['recipe'])}" in page


def test_a_run_in_python_says_how_far_it_is_where_asked(images, home, capsys):
    words = {"budget": TINY, "epochs": 1, "transfer": "none"}
    with pytest.raises(KeyboardInterrupt):
        fit(images, out=home / "silent", watch=Breaks(1), **words)
    resume(home / "silent")
    assert capsys.readouterr() == ("", "")
    run = fit(images, out=home / "told", watch=True, **words)
    out, err = capsys.readouterr()
    assert (out, "\x1b" in err) == ("", False)
    lines = err.splitlines()
    assert all(why in lines for why in run.metrics["why"])
    assert any(re.match(r"\S+  epoch 1/1  loss", line) for line in lines)
    resume(home / "told", watch=True)
    assert capsys.readouterr().err == f"{run.path} is finished already\n"


def test_a_run_learns_and_leaves_everything(whole):
    held = {path.name for path in whole.path.iterdir()}
    assert held == {*NUMBERS, "run.json", "candidates.json", "report.html"}
    test = whole.metrics["test"]
    assert test["images"] == 9
    assert np.trace(test["confusion"]) == test["correct"] == round(test["accuracy"] * 9)
    low, high = test["interval"]
    assert low <= test["accuracy"] <= high
    plan = whole.net.plan()
    assert plan.params <= 5000
    assert plan.params == whole.metrics["net"]["params"]
    assert "NaN" not in (whole.path / "metrics.json").read_text()
    rows = [json.loads(line) for line in (whole.path / "metrics.jsonl").read_text().splitlines()]
    last = [row["epoch"] for row in rows if row["trial"].startswith("rung3")]
    assert last == [1, 2, 3, 4]
    assert np.isfinite([row["train_loss"] for row in rows]).all()
    assert all(value.is_contiguous() for value in whole.model().state_dict().values())
    *others, last = whole.metrics["trials"]
    assert whole.metrics["winner"] == last["name"]
    assert whole.metrics["val"]["accuracy"] == last["val_accuracy"]
    assert (last["folds"], {trial["folds"] for trial in others}) == (1, {3})
    assert whole.metrics["all_images"] is True


class Noted(Training):
    """A training that notes what it learns from."""

    notes: ClassVar[list[tuple[str, int, int]]] = []

    def __init__(self, approach, begin, train, val, **words):
        super().__init__(approach, begin, train, val, **words)
        self.notes.append((approach.name, approach.epochs, len(train)))


def test_the_net_that_was_chosen_learns_once_more_from_validation_too(
    tmp_path, images, monkeypatch
):
    monkeypatch.setattr("netwright.train.trials.Training", Noted)
    monkeypatch.setattr(Noted, "notes", [])
    run = fit(images, budget=TINY, out=tmp_path / "run", epochs=3)
    splits = {part: len(names) for part, names in run.record["splits"].items()}
    *_, chosen, last = Noted.notes
    assert chosen == (run.metrics["winner"], 3, splits["train"])
    assert last == (f"{run.metrics['winner']}-all", 3, splits["train"] + splits["val"])
    rows = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["trial"] == run.metrics["winner"]  # figures are of images left out
    assert "learnt once more" in (run.path / "report.html").read_text()


@pytest.mark.parametrize("words", [
    {"net": "resnet20_cifar10", "transfer": "none"},  # nothing was chosen on validation
    {"budget": TINY, "recipe": "patient.json"},  # the epochs were
])  # fmt: skip
def test_what_was_not_chosen_or_ends_by_validation_learns_once(
    tmp_path, images, words, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "patient.json").write_text('{"base": "resnet", "patience": 2}')
    run = fit(images, out=tmp_path / "run", epochs=2, **words)
    assert run.metrics["all_images"] is False
    assert "learnt once more" not in (run.path / "report.html").read_text()


def test_predictions_agree_with_the_test(whole, images):
    rows = list(csv.DictReader((whole.path / "predictions.csv").read_text().splitlines()))
    said = Run.load(whole.path).predict([images / row["image"] for row in rows])
    assert [p.label for p in said] == [row["predicted"] for row in rows]
    right = sum(p.label == row["class"] for p, row in zip(said, rows, strict=True))
    assert right == whole.metrics["test"]["correct"]
    for prediction, row in zip(said, rows, strict=True):
        assert prediction.top(1)[0][1] == pytest.approx(float(row["probability"]), abs=1e-5)
        assert sum(prediction.probabilities) == pytest.approx(1)
    with Image.open(images / rows[0]["image"]) as opened:
        (again,) = whole.predict([np.asarray(opened)])
    assert again.label == said[0].label


@torch.inference_mode()
def test_a_run_is_a_source_of_weights(whole, images):
    model = whole.net.build(weights=whole.path).eval()
    image = next(images.rglob("*.png"))
    pixels = np.array([whole.preprocessing.image(image)])
    (said,) = whole.probabilities(pixels, views=Views())
    made = (model(model.weights.preprocess(image)[None]) / whole.temperature).softmax(1)
    assert made[0].tolist() == pytest.approx(said.tolist(), abs=1e-5)
    with pytest.warns(WeightsWarning, match="starts fresh: 3 classes in the weights, 7 in the net"):
        whole.net.but(classes=7).build(weights=whole.path)


def test_the_report_stands_alone(whole):
    page = (whole.path / "report.html").read_text()
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert "<script" not in page
    for said in ("Confusion", "precision", "Budget:", "netwright predict", whole.net.name,
                 "calibration error", "log loss", f"netwright evaluate {whole.path} "):  # fmt: skip
        assert said in page


def test_the_same_seed_gives_the_same_numbers(home, images, whole):
    again = fit(images, budget=TINY, out=home / "again", epochs=4)
    assert numbers(again) == numbers(whole)
    other = fit(images, budget=TINY, out=home / "other", epochs=4, seed=1)
    assert numbers(other)["weights.safetensors"] != numbers(whole)["weights.safetensors"]


@pytest.mark.parametrize("epochs", [1, 6, 9])
def test_resumed_numbers_are_those_of_an_uninterrupted_run(home, images, whole, epochs):
    watch, out = Breaks(epochs), home / f"broken{epochs}"
    with pytest.raises(KeyboardInterrupt):
        fit(images, budget=TINY, out=out, epochs=4, watch=watch)
    assert watch.closed
    with pytest.raises(RunError, match=r"not finished; go on with: netwright fit .* --resume"):
        _ = Run.load(out).metrics
    done = resume(out, images)
    assert numbers(done) == numbers(whole)
    before = numbers(done)
    assert numbers(resume(out)) == before


class StopsWithoutGradients(Watch):
    """Ctrl-C just where a block without gradients ends."""

    def epoch(self, trial, epoch):
        torch.set_grad_enabled(False)
        raise KeyboardInterrupt


@pytest.mark.parametrize("before", [True, False])
def test_whether_gradients_are_recorded_is_as_before(home, images, before):
    out = home / f"grad-{before}"
    with torch.set_grad_enabled(before):
        with pytest.raises(KeyboardInterrupt):
            fit(images, budget=TINY, epochs=1, out=out, watch=StopsWithoutGradients())
        assert torch.is_grad_enabled() == before
        assert resume(out).finished
        assert torch.is_grad_enabled() == before


def test_a_full_disk_is_one_line_and_nothing_half_written(home, images, whole, monkeypatch):
    out, writes, sync = home / "full", [], os.fsync

    def full(descriptor):
        writes.append(descriptor)
        if len(writes) > 9:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr("netwright.core.files.os.fsync", full)
        with pytest.raises(
            RunError, match="no space left on the disk; free some space, then go on"
        ):
            fit(images, budget=TINY, out=out, epochs=4)
    assert not [path for path in out.rglob("*") if path.name.endswith(".tmp")]
    assert numbers(resume(out)) == numbers(whole)


def test_a_run_in_the_way_is_left_alone(whole, images):
    before = numbers(whole)
    with pytest.raises(RunError, match="exists already; go on with --resume, or"):
        fit(images, budget=TINY, out=whole.path, epochs=4)
    assert numbers(whole) == before


@pytest.fixture
def broken(tmp_path, images):
    out = tmp_path / "broken"
    with pytest.raises(KeyboardInterrupt):
        fit(images, budget=TINY, out=out, epochs=4, watch=Breaks(3))
    return out


def test_what_does_not_belong_is_refused(broken, tmp_path, images):
    other = write_squares(tmp_path / "other", seed=5)
    with pytest.raises(RunError, match=r"the images in .* are not those"):
        resume(broken, other)
    with pytest.raises(RunError, match="was begun with seed 0, got 3; leave it out"):
        resume(broken, images, seed=3)
    with pytest.raises(UnknownName, match="no setting is called 'sed'"):
        resume(broken, images, sed=3)
    first, second, *_ = sorted((broken / "checkpoints").iterdir())
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    with pytest.raises(RunError, match="does not belong to this run"):
        resume(broken)
    first.write_bytes(kept[:100])
    with pytest.raises(RunError, match="is no readable checkpoint"):
        resume(broken)
    with pytest.raises(RunError, match="is no run folder: no such folder"):
        resume(tmp_path / "gone")


def test_tampered_runs_are_refused(home, images, tmp_path):
    run = fit(images, budget=TINY, out=tmp_path / "run", epochs=1)
    weights = (run.path / "weights.safetensors").read_bytes()
    (run.path / "weights.safetensors").write_bytes(weights[:50])
    with pytest.raises(RunError, match="cannot be read"):
        Run.load(run.path).predict([images / "red" / "00.png"])
    (run.path / "weights.safetensors").write_bytes(weights)
    (run.path / "net.json").write_text(run.net.but(classes=9).to_json())
    with pytest.raises(RunError, match=r"net\.json gives 9, .* names 3 classes"):
        Run.load(run.path).predict([images / "red" / "00.png"])
    other = small("plain", run.net.input, 3, width=6, depth=1, stages=2)
    (run.path / "net.json").write_text(other.to_json())
    with pytest.raises(RunError, match=r"does not belong to net\.json"):
        Run.load(run.path).predict([images / "red" / "00.png"])
    (run.path / "net.json").write_bytes(b"\xff")
    with pytest.raises(RunError, match="cannot be read"):
        Run.load(run.path).predict([images / "red" / "00.png"])
    (run.path / "net.json").unlink()
    with pytest.raises(RunError, match=r"it has no net\.json"):
        Run.load(run.path).predict([images / "red" / "00.png"])
    (run.path / "net.json").write_text(run.net.to_json())
    (run.path / "metrics.json").write_text("[]")
    with pytest.raises(RunError, match="was not written by netwright"):
        _ = Run.load(run.path).metrics
    (run.path / "metrics.json").write_text("{}")
    record = json.loads((run.path / "run.json").read_text())
    data = {**record["data"], "classes": ["red", "blue"]}
    (run.path / "run.json").write_text(json.dumps({**record, "data": data}))
    with pytest.raises(RunError, match="names 2 classes"):
        _ = Run.load(run.path).net
    (run.path / "run.json").write_text(json.dumps({"schema": 1, "settings": {}}))
    with pytest.raises(RunError, match=r"run\.json has no began, wanted text"):
        Run.load(run.path)
    (run.path / "run.json").write_text(json.dumps({**record, "schema": 99}))
    with pytest.raises(RunError, match="schema 99, we read up to"):
        Run.load(run.path)
    (run.path / "run.json").write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        Run.load(run.path)


def test_a_net_that_never_learns_is_one_line(tmp_path, images, monkeypatch):
    def diverges(learner, x, labels, rate):
        return torch.tensor(float("nan"))

    monkeypatch.setattr(Learner, "learn", diverges)
    with pytest.raises(RunError, match="no net learnt"):
        fit(images, budget=TINY, out=tmp_path / "run", epochs=1)
    assert not Run.load(tmp_path / "run").finished


def test_names_that_are_no_utf8(tmp_path):
    folder = write_squares(tmp_path / "squares", 6)
    try:
        for path in list(folder.rglob("*.png")):
            path.rename(os.fsdecode(os.fsencode(path.with_suffix("")) + b"\xe9.png"))
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    run = fit(folder, budget=TINY, out=tmp_path / "run", epochs=1)
    assert "\\udce9.png" in (run.path / "predictions.csv").read_text()


def test_a_file_in_the_way_of_the_run(tmp_path, images):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="choose another --out"):
        fit(images, budget=TINY, out=tmp_path / "file" / "run", epochs=1)


def test_nothing_is_left_when_the_request_is_impossible(tmp_path, images):
    out = tmp_path / "none"
    with pytest.raises(BudgetError, match="the nearest"):
        fit(images, budget="params<=10", out=out)
    with pytest.raises(BudgetError, match="depends on the machine"):
        fit(images, budget="latency<=3ms", out=out)
    with pytest.raises(RunError, match="minutes is 0"):
        fit(images, minutes=0, out=out)
    with pytest.raises(DataError, match="no such file"):
        fit(tmp_path / "gone", out=out)
    assert not out.exists()


@pytest.mark.slow
def test_signals(home, images, whole):
    """Ctrl-C says how to go on, SIGKILL loses an epoch at most; the numbers stay."""
    out = home / "killed"
    command = [sys.executable, "-m", "netwright", "fit", str(images), "--budget", TINY,
               "--epochs", "4", "--out", str(out)]  # fmt: skip
    code, said = _stopped(command, out, 1, signal.SIGINT)
    assert code == 130
    assert f"stopped; go on with: netwright fit {images} --out {out} --resume" in said
    assert "Traceback" not in said
    code, _ = _stopped([*command, "--resume"], out, 5, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not (out / "metrics.json").exists()
    done = subprocess.run([*command, "--resume", "--json", "--quiet"], capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert json.loads(done.stdout)["test"] == whole.metrics["test"]
    assert done.stderr == ""
    assert numbers(Run.load(out)) == numbers(whole)


def _stopped(command, out, epochs, sent):
    """Exit code and stderr of a run that gets a signal after so many epochs."""
    log = out / "metrics.jsonl"
    waiting = (
        "import os, sys, time; from netwright.train.trials import Trials as T; tell = T._tell\n"
        "epochs = lambda: sum(1 for _ in open(sys.argv[1])) if os.path.exists(sys.argv[1]) else 0\n"
        f"T._tell = lambda *a: (tell(*a), epochs() >= {epochs} and time.sleep(60))\n"
        "from netwright.cli import main; main(sys.argv[2:])"
    )
    words = [command[0], "-c", waiting, str(log), *command[3:]]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if log.exists() and len(log.read_text().splitlines()) >= epochs:
            break
        time.sleep(0.02)
    process.send_signal(sent)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def test_shared_weights_are_kept_and_read_again():
    twin = nw.Shared(nw.Conv(3), "twin")
    net = nw.Net(nw.Sequential(first=twin, second=twin), (3, 8, 8))
    model, other = net.build(seed=0), net.build(seed=1)
    other.load_state_dict(load(packed(model)))
    x = torch.rand(1, 3, 8, 8)
    assert torch.equal(other(x), model(x))
