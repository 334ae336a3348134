"""Cross-validation of whole nets: when, over what, and what follows from it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from netwright.data import Preprocessing, load
from netwright.data.stream import Memory
from netwright.space.families import small
from netwright.train import Watch, fit
from netwright.train.approach import Approach
from netwright.train.batches import Images
from netwright.train.folds import FOLDS, averaged, enough_folds, folded, folds
from netwright.train.halving import rungs, work
from netwright.train.outcome import DIVERGED, Outcome
from netwright.train.recipe import Recipe
from squares import TINY, write_squares

CPU = torch.device("cpu")
NET = small("plain", (3, 16, 16), 3, width=4, depth=1, stages=2)
APPROACH = Approach("net", "scratch", NET, Preprocessing(16, 3, (0.5,) * 3, (0.2,) * 3), epochs=2)


def images(count=24, weights=None):
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 1), np.uint8)
    kept = Preprocessing(4, 1, (0.0,), (1 / 255,))
    return Images(Memory(pixels, CPU), np.arange(count) % 3, 3, kept, CPU, weights)


def seen(part):
    """The numbers of the images of a part, by their pixels."""
    return [int(x) for page in part.inorder(5) for x in page[:, 0, 0, 0]]


def test_every_image_is_left_out_once_and_never_learnt_from_then():
    parts = folded(images(), seed=0, count=4)
    assert sorted(i for fold in parts for i in seen(fold.val)) == list(range(24))
    for fold in parts:
        assert sorted(seen(fold.train) + seen(fold.val)) == list(range(24))
        assert fold.train.labels.tolist() == [i % 3 for i in seen(fold.train)]
        assert seen(fold.train) == fold.places.tolist()
        assert {*fold.val.labels.tolist()} == {0, 1, 2}


def test_weights_and_epochs_follow_the_images_of_a_part():
    weights = np.arange(24, dtype=np.float32)
    part = images(weights=weights).part(np.array([3, 7, 20]))
    recipe = Recipe(batch=2, operations=())
    for x, labels in part.epoch(recipe, 0, 0):
        numbers = x[:, 0, 0, 0].long().tolist()
        assert {*numbers} <= {3, 7, 20}
        assert labels.sum(1).tolist() == [float(i) for i in numbers]


def test_folds_are_as_many_as_the_rarest_class_allows():
    labels = np.array([0] * 10 + [1] * 2)
    assert len(list(folds(labels, 0, 5))) == 2
    assert len(list(folds(np.arange(30) % 3, 0, 5))) == 5
    again = [learn.tolist() for learn, _ in folds(np.arange(30) % 3, 0, 5)]
    assert again == [learn.tolist() for learn, _ in folds(np.arange(30) % 3, 0, 5)]


@pytest.mark.parametrize(("count", "wanted"), [(14, FOLDS), (300, 1)])
def test_validation_with_many_images_is_enough(tmp_path, count, wanted):
    assert enough_folds(load(write_squares(tmp_path / "squares", count))) == wanted


def rows(*figures):
    return [{"trial": "x", "epoch": i + 1, "train_loss": a, "val_loss": b, "val_accuracy": c}
            for i, (a, b, c) in enumerate(figures)]  # fmt: skip


def test_figures_of_folds_are_means_over_images():
    first = Outcome(APPROACH, rows((1.0, 2.0, 0.5), (0.5, 1.0, 0.75)), torch.nn.Identity)
    second = Outcome(APPROACH, rows((3.0, 5.0, 1.0)), torch.nn.Flatten)
    both = averaged(APPROACH, [first, second], [4, 8])
    assert both.history == [{"trial": "net", "epoch": 1, "train_loss": pytest.approx(7 / 3),
                             "val_loss": 4.0, "val_accuracy": pytest.approx(10 / 12)}]  # fmt: skip
    assert both.folds == 2
    assert isinstance(both.model(), torch.nn.Identity)
    lost = Outcome(APPROACH, rows((DIVERGED, DIVERGED, 0.0)), torch.nn.Flatten)
    assert averaged(APPROACH, [first, lost], [4, 8]).diverged


def test_all_rungs_but_the_last_cost_every_fold():
    costs = [1.0, 2.0, 3.0, 4.0]
    plan = rungs(4, 9)
    spent = [10.0 * plan[0].epochs, 7.0 * plan[1].epochs, 4.0 * plan[2].epochs]
    assert work(costs, 9, 3) == 3 * (spent[0] + spent[1]) + spent[2]
    assert work(costs, 9) == sum(spent)
    assert work([2.0], 9, 3) == 18.0


class Counts(Watch):
    """What is trained, and how much of the work is done after each epoch."""

    def __init__(self):
        self.names, self.shares = [], []

    def epoch(self, trial, epoch):
        self.names.append(trial.name)
        self.shares.append(epoch.share)


def test_nets_are_chosen_by_images_left_out_in_turn(tmp_path):
    watch = Counts()
    run = fit(write_squares(tmp_path / "squares"), budget=TINY, epochs=3, out=tmp_path / "run",
              watch=watch)  # fmt: skip
    record = json.loads((run.path / "run.json").read_text())
    assert record["job"]["folds"] == FOLDS
    assert any("3-fold cross-validation" in reason for reason in record["job"]["why"])
    plan = record["job"]["rungs"]
    trained = [name for i, name in enumerate(watch.names) if name not in watch.names[:i]]
    *compared, once_more = trained
    assert len(compared) == FOLDS * sum(rung["nets"] for rung in plan[:-1]) + 1
    assert once_more == f"{run.metrics['winner']}-all"
    first = watch.names.index(once_more)
    for shares in (watch.shares[:first], watch.shares[first:]):
        assert shares == sorted(shares)
        assert shares[-1] == pytest.approx(1.0)
    trials = run.metrics["trials"]
    first = [trial for trial in trials if trial["rung"] == 1]
    going_on = {trial["net"] for trial in trials if trial["rung"] == 2}
    best = sorted(first, key=lambda trial: (-trial["val_accuracy"], trial["val_loss"]))
    assert going_on == {trial["net"] for trial in best[: len(going_on)]}
    pool = sum(len(record["splits"][part]) for part in ("train", "val"))
    assert all(trial["val_accuracy"] * pool == pytest.approx(round(trial["val_accuracy"] * pool))
               for trial in first)  # fmt: skip
    assert "mean of 3 folds" in (run.path / "report.html").read_text()
