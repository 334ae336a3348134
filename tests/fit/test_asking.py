"""Runs that are asked quickly: folded, in bf16 where it was measured to pay, never out of date."""

from __future__ import annotations

import json
from itertools import cycle

import numpy as np
import pytest
import torch

from netwright.cli import main
from netwright.errors import UnknownName
from netwright.train import Run, asking, fit
from netwright.train.asking import quick, quickest
from netwright.train.evaluation import evaluate
from netwright.train.views import Views
from squares import TINY, write_squares


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    home = tmp_path_factory.mktemp("asking")
    return fit(write_squares(home / "squares", 8), budget=TINY, epochs=2, out=home / "run")


@pytest.fixture
def opened(run):
    return Run.load(run.path)


def pixels(run, count=5):
    side = run.preprocessing.size
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3)).astype(np.uint8)


def logits(run, model):
    x = torch.from_numpy(pixels(run)).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        return model(x)


def rates(monkeypatch, exact, short):
    """Makes measurements find these seconds, by turns."""
    seconds = cycle((exact, short))
    monkeypatch.setattr(asking, "timed", lambda run: next(seconds))


def test_norms_are_folded_and_answers_stay(opened):
    model, twin = opened.model(), quick(opened.model())
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in twin.modules())
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in model.modules())
    torch.testing.assert_close(logits(opened, twin), logits(opened, model), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("exact", "short", "chosen"), [(1.0, 0.5, "bf16"), (1.0, 0.9, "fp32"),
                                                        (0.5, 1.0, "fp32")])  # fmt: skip
def test_half_of_the_bits_where_they_pay(opened, monkeypatch, exact, short, chosen):
    rates(monkeypatch, exact, short)
    assert quickest(opened.model()) == chosen
    dtype = opened.model(fast=True).dtype
    assert dtype == (torch.bfloat16 if chosen == "bf16" else torch.float32)
    assert opened.model(fast=True) is opened.model(fast=True)
    assert opened.model() is opened.model()


def test_answers_in_bf16_are_close_and_others(opened):
    exact = opened.probabilities(pixels(opened), views=Views(mirrored=True))
    short = opened.probabilities(pixels(opened), views=Views(mirrored=True), precision="bf16")
    assert 0 < np.abs(exact - short).max() < 0.05
    with pytest.raises(UnknownName, match="no precision is called 'int8'"):
        opened.probabilities(pixels(opened), views=Views(mirrored=True), precision="int8")


def test_a_model_that_learns_on_is_asked_anew(opened):
    before = opened.probabilities(pixels(opened), views=Views())
    with torch.no_grad():
        for parameter in opened.model().parameters():
            parameter.mul_(0.5)
    after = opened.probabilities(pixels(opened), views=Views())
    wanted = (logits_of(opened) / opened.temperature).softmax(1).numpy()
    assert np.abs(after - before).max() > 1e-3
    assert np.allclose(after, wanted, atol=1e-5)


def logits_of(run):
    seen = run.preprocessing
    x = torch.from_numpy(pixels(run)).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(row).view(1, -1, 1, 1) for row in (seen.mean, seen.std))
    with torch.inference_mode():
        return run.model()((x - mean) / std).double()


def test_commands_take_a_precision(opened, monkeypatch, capsys):
    data = opened.record["settings"]["data"]
    image = str(next(iter(sorted(opened.path.parent.rglob("*.png")))))
    found = evaluate([opened], data, precision="bf16")
    for words in (["predict", str(opened.path), image], ["evaluate", str(opened.path), data]):
        said = []
        for precision in ("fp32", "bf16"):
            with pytest.raises(SystemExit) as done:
                main([*words, "--precision", precision, "--json"])
            assert done.value.code == 0
            said.append(json.loads(capsys.readouterr().out))
        assert said[0] != said[1]
    assert said[1]["loss"] == pytest.approx(found.scores()["loss"])
