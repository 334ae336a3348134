"""What the words of a recipe do to a training: each is seen in the weights or the epochs."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from netwright import (
    BatchNorm,
    Conv,
    Dropout,
    GlobalAvgPool,
    GroupNorm,
    Linear,
    LocalResponseNorm,
    Net,
    ReLU,
    Sequential,
)
from netwright.data import Preprocessing, load
from netwright.data.augment import Cutout, Flip, Mixup, Shift
from netwright.data.policy import TrivialAugment
from netwright.data.stream import Memory
from netwright.errors import NetwrightError, RecipeError, RunError
from netwright.train import Settings
from netwright.train.approach import Approach
from netwright.train.batches import Images, ahead, overlaps
from netwright.train.decide import decide
from netwright.train.finder import HIGH, LOW, find_rate
from netwright.train.from_nothing import _has_norms
from netwright.train.learner import Learner
from netwright.train.outcome import Clock
from netwright.train.recipe import Recipe
from netwright.train.training import Training

NET = Net(Sequential(conv=Conv(4), act=ReLU(), pool=GlobalAvgPool(), fc=Linear(3)), (1, 6, 6))
AS_THEY_ARE = Preprocessing(6, 1, (0.5,), (0.2,))
CPU = torch.device("cpu")


def images(counts=(8, 8, 8)):
    """Images whose brightness is their class, nearly."""
    labels = np.repeat(np.arange(3), counts)
    noise = np.random.default_rng(0).integers(0, 60, (len(labels), 6, 6, 1))
    pixels = (70 * labels[:, None, None, None] + noise).astype(np.uint8)
    return Images(Memory(pixels, CPU), labels, 3, AS_THEY_ARE, CPU)


def learner(**words):
    recipe = Recipe(batch=8, operations=(), **words)
    return Learner(NET.build(seed=1), recipe, epochs=2, name="x")


def training(folder, epochs=6, data=None, **words):
    approach = Approach("x", "scratch", NET, AS_THEY_ARE,
                        Recipe(batch=8, operations=(), **words), epochs=epochs)  # fmt: skip
    data = data or images()
    return Training(approach, lambda: NET.build(seed=0), data, data, folder=folder,
                    fingerprint="these", clock=Clock(None))  # fmt: skip


def moved(learner, x, labels, rate=0.1):
    """How far a step moves the weights."""
    before = [p.detach().clone() for p in learner.model.parameters()]
    learner.learn(x, labels, rate)
    after = [p.detach() for p in learner.model.parameters()]
    return torch.stack([(a - b).norm() for a, b in zip(after, before, strict=True)]).norm()


@pytest.mark.parametrize("accumulate", [2, 3, 8])
def test_parts_of_a_batch_add_up_to_it(accumulate):
    whole, parts = learner(), learner(accumulate=accumulate)
    for x, labels in images().epoch(whole.recipe, 0, 0):
        assert torch.allclose(whole.learn(x, labels, 0.1), parts.learn(x, labels, 0.1), atol=1e-6)
    for a, b in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_a_gradient_is_clipped_to_its_largest_norm():
    x, labels = next(images().epoch(Recipe(batch=8, operations=()), 0, 0))
    plain = {"momentum": 0.0, "decay": 0.0}
    free = float(moved(learner(**plain), x, labels)) / 0.1
    for share in (0.5, 0.01):
        step = moved(learner(clip=share * free, **plain), x, labels)
        assert step == pytest.approx(0.1 * share * free, rel=1e-3)
    assert moved(learner(clip=2 * free, **plain), x, labels) == pytest.approx(0.1 * free, rel=1e-3)


def test_rare_classes_count_more_where_they_are_balanced(tmp_path):
    data = images((16, 4, 4))
    weights = training(tmp_path, data=data, balance=True).learner.class_weights
    assert weights.tolist() == pytest.approx([0.5, 2.0, 2.0])
    (tmp_path / "x.safetensors").unlink()
    assert training(tmp_path, data=data).learner.class_weights is None


def test_training_stops_when_validation_gets_no_better(tmp_path, monkeypatch):
    losses = iter([1.0, 0.5, 0.7, 0.6, 0.9, 0.8, 0.8])
    monkeypatch.setattr(
        "netwright.train.training.on_validation",
        lambda truth, shares: {"val_loss": next(losses), "val_accuracy": 0.5},
    )
    stops = training(tmp_path, epochs=7, patience=3)
    assert [row["epoch"] for row in stops.run()] == [1, 2, 3, 4, 5]
    assert training(tmp_path, epochs=7, patience=3).stopped


def test_the_mean_of_the_last_quarter_is_the_mean_of_its_epochs(tmp_path):
    made = training(tmp_path, epochs=8, average="swa").learner
    states = []
    for _ in range(8):
        list(made.epoch(images()))
        states.append(made.model.state_dict()["fc.weight"].clone())
    assert torch.allclose(made.best.state_dict()["fc.weight"], (states[6] + states[7]) / 2)


@pytest.mark.parametrize("start", [1e-4, 0.1, 1e3])
def test_a_range_test_finds_a_rate_that_learns(tmp_path, start):
    """Whatever rate the recipe begins with, within the range of the test."""
    found = training(tmp_path, epochs=4, rate=start, find=True)
    rate = found.learner.factor * start
    assert LOW * start / 5 <= rate <= HIGH * start
    rows = list(found.run())
    assert all(np.isfinite(row["train_loss"]) for row in rows)
    if start > 1e-3:  # from far below it cannot reach up
        assert rows[-1]["val_accuracy"] > 0.6


def test_a_range_test_changes_nothing_and_is_made_once(tmp_path):
    whole = training(tmp_path, find=True)
    fresh = NET.build(seed=0).state_dict()
    assert all(torch.equal(v, fresh[k]) for k, v in whole.learner.model.state_dict().items())
    factor = whole.learner.factor
    assert find_rate(whole.learner, images()) == pytest.approx(factor * whole.approach.recipe.rate)
    next(whole.run())
    assert training(tmp_path, find=True).learner.factor == factor


def test_a_range_test_follows_from_the_seed_where_units_are_dropped(tmp_path):
    """Whatever was drawn from PyTorch's own generator before, as after a break."""
    head = Sequential(pool=GlobalAvgPool(), drop=Dropout(0.5), fc=Linear(3))
    net = Net(Sequential(conv=Conv(4), act=ReLU(), head=head), (1, 6, 6))
    recipe = Recipe(batch=8, operations=())
    rates = set()
    for drawn in (0, 1, 1000):
        torch.manual_seed(drawn)
        torch.rand(drawn)
        rates.add(find_rate(Learner(net.build(seed=1), recipe, epochs=2, name="x"), images()))
    assert len(rates) == 1
    other = Learner(net.build(seed=1), recipe, epochs=2, seed=7, name="x")
    assert find_rate(other, images()) not in rates


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    from squares import write_squares

    return load(write_squares(tmp_path_factory.mktemp("words") / "squares"))


def test_a_rate_that_is_asked_for_is_taken(data):
    def recipe(**words):
        job, _ = decide(Settings("x", epochs=1, transfer="none", **words), data)
        return job.approaches[0].recipe

    assert recipe(net="lenet5", size=32).find  # no normalisation
    assert not recipe(net="lenet5", size=32, recipe="resnet").find
    assert not recipe(net="lenet5", size=32, rate=0.02).find
    assert not recipe(net="resnet20_cifar10").find
    assert recipe(net="resnet20_cifar10", rate="find").find
    known = recipe(net="resnet20_cifar10")
    assert recipe(net="resnet20_cifar10", rate="0.02").rate == pytest.approx(0.2 * known.rate)


@pytest.mark.parametrize(
    ("rate", "fault", "said"),
    [("much", RunError, "wanted a number or find"), (-1, RecipeError, "rate is -1"),
     ("1e9", RecipeError, "rate is 1000000000"), ("nan", RecipeError, "rate is nan")],
)  # fmt: skip
def test_rates_that_are_none(rate, fault, said):
    with pytest.raises(fault, match=said) as caught:
        Settings("x", rate=rate)
    assert isinstance(caught.value, NetwrightError)


def test_batches_are_made_while_those_before_are_used():
    begun = [threading.Event() for _ in range(10)]

    def items():
        for i, event in enumerate(begun):
            event.set()
            yield i

    seen = []
    for item in ahead(items()):
        assert all(event.wait(30) for event in begun[: item + 2])
        seen.append(item)
    assert seen == list(range(10))


def test_an_error_in_a_batch_comes_through():
    def broken():
        yield 1
        raise OSError("gone")

    items = ahead(broken())
    assert next(items) == 1
    with pytest.raises(OSError, match="gone"):
        next(items)


def test_overlap_leaves_the_numbers_as_they_are(monkeypatch):
    """Every operation that may overlap draws from a generator of its own."""
    states = []
    for on in (False, True):
        monkeypatch.setattr("netwright.train.learner.overlaps", lambda device, recipe, on=on: on)
        made = Learner(NET.build(seed=1), Recipe(batch=8, operations=(Shift(), Flip(), Cutout(),
                       Mixup())), epochs=2, name="x")  # fmt: skip
        losses = [loss for _ in range(2) for loss in made.epoch(images())]
        states.append((losses, made.model.state_dict()["fc.weight"]))
    assert states[0][0] == states[1][0]
    assert torch.equal(states[0][1], states[1][1])


def test_where_batches_overlap(monkeypatch):
    monkeypatch.setattr("netwright.train.batches.default_workers", lambda: 4)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert overlaps(CPU, Recipe())
    assert not overlaps(CPU, Recipe(operations=(TrivialAugment(),)))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert not overlaps(CPU, Recipe())
    assert overlaps(torch.device("cuda"), Recipe())


@pytest.mark.parametrize(
    ("norm", "steady"),
    [(BatchNorm(), True), (GroupNorm(groups=2), True), (LocalResponseNorm(), False)],
)
def test_which_nets_are_taken_for_normalised(norm, steady):
    net = Net(Sequential(conv=Conv(4), norm=norm, pool=GlobalAvgPool(), fc=Linear(3)), (1, 6, 6))
    assert _has_norms(net) == steady
