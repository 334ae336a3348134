"""A net that diverges or does not fit into memory: back to the checkpoint, slower or in parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from netwright import Conv, GlobalAvgPool, Linear, Net, Sequential
from netwright.data import Preprocessing
from netwright.data.stream import Memory
from netwright.train.approach import Approach
from netwright.train.batches import Images
from netwright.train.learner import Learner
from netwright.train.outcome import Clock
from netwright.train.recipe import Recipe
from netwright.train.report import _epochs
from netwright.train.training import RETREATS, SLOWER, Training

NET = Net(Sequential(conv=Conv(4), pool=GlobalAvgPool(), fc=Linear(3)), (1, 5, 5))
AS_THEY_ARE = Preprocessing(5, 1, (0.5,), (0.2,))
RECIPE = Recipe(batch=8, operations=())


@pytest.fixture
def training(tmp_path):
    """A function that begins a training in this folder, or goes on with it."""
    cpu = torch.device("cpu")
    pixels = np.random.default_rng(0).integers(0, 256, (24, 5, 5, 1)).astype(np.uint8)
    images = Images(Memory(pixels, cpu), np.arange(24) % 3, 3, AS_THEY_ARE, cpu)
    plain = Approach("x", "scratch", NET, AS_THEY_ARE, RECIPE, epochs=3)

    def begin(clock: Clock | None = None, most: int = 0, approach: Approach = plain) -> Training:
        return Training(approach, lambda: approach.net.build(seed=0), images, images,
                        folder=tmp_path, fingerprint="these", clock=clock or Clock(None),
                        most=most)  # fmt: skip

    return begin


def failing(monkeypatch, failures, learn=Learner.learn):
    """Makes so many steps fail by `failures`, an iterator of what to raise or to give as the
    loss; the rates of all steps, as they come.
    """
    rates = []

    def step(learner, x, labels, rate):
        rates.append(rate)
        failure = next(failures, None)
        if isinstance(failure, Exception):
            raise failure
        return learn(learner, x, labels, rate) if failure is None else torch.tensor(failure)

    monkeypatch.setattr(Learner, "learn", step)
    return rates


def test_a_retreat_slows_the_whole_schedule_once(training, monkeypatch):
    rates = failing(monkeypatch, iter([None, float("nan")]))
    rows = list(training().run())
    wanted = [RECIPE.rate_at(step, 9) for step in range(9)]
    assert rates[:2] == wanted[:2]
    assert rates[2:] == pytest.approx([SLOWER * rate for rate in wanted])
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert all(np.isfinite(row["train_loss"]) for row in rows)


def test_a_net_that_diverges_whatever_the_rate_is_told_so_after_a_restart(training, monkeypatch):
    rates = failing(monkeypatch, iter([float("inf")] * 100))
    first = training()
    rows = list(first.run())
    assert len(rates) == RETREATS + 1
    again = training()
    assert again.stopped
    assert again.outcome.diverged
    assert again.outcome.history == rows == first.outcome.history


def test_biases_of_filters_that_whiten_learn_in_the_first_epochs_alone(training):
    """In three of eight, as in the code of Jordan 2024; a training that goes on does the same."""
    approach = Approach("x", "scratch", NET, AS_THEY_ARE, RECIPE.but(whiten=True), epochs=8)
    going, biases = training(approach=approach), list[torch.Tensor]()
    for epoch, _ in enumerate(going.run()):
        biases.append(going.learner.model.conv.bias.detach().clone())
        if epoch == 4:
            break
    assert not torch.equal(biases[1], biases[2])
    assert torch.equal(biases[2], biases[3])
    again = training(approach=approach)
    list(again.run())
    assert torch.equal(again.learner.model.conv.bias, biases[2])
    assert again.learner.model.conv.bias.requires_grad


def test_memory_that_does_not_suffice_divides_the_batch(training, monkeypatch):
    alone = training()
    list(alone.run())
    alone.path.unlink()
    failing(monkeypatch, iter([None, torch.cuda.OutOfMemoryError("CUDA out of memory")]))
    divided = training()
    list(divided.run())
    assert divided.learner.parts == 2 * alone.learner.parts
    for name, value in alone.learner.best.state_dict().items():
        assert torch.allclose(value, divided.learner.best.state_dict()[name], atol=1e-5), name


def test_other_errors_are_not_hidden(training, monkeypatch):
    failing(monkeypatch, iter([RuntimeError("a kernel is missing")]))
    with pytest.raises(RuntimeError, match="a kernel is missing"):
        list(training().run())


class Falling(Clock):
    """As if every epoch took so many seconds."""

    def __init__(self, limit: float, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, end = 0.0, Learner.end
        monkeypatch.setattr("netwright.train.training.monotonic", lambda: self.now)
        monkeypatch.setattr("netwright.train.outcome.monotonic", lambda: self.now)
        super().__init__(limit, began=0.0)

        def later(learner: Learner) -> None:
            self.now += seconds
            end(learner)

        monkeypatch.setattr(Learner, "end", later)


@pytest.mark.parametrize(("limit", "epochs", "cut"), [(3.0, 3, False), (2.5, 2, False),
                                                      (1.5, 1, True)])  # fmt: skip
def test_the_rate_falls_to_nothing_in_the_time_there_is(
    training, monkeypatch, limit, epochs, cut
):  # fmt: skip
    rates = failing(monkeypatch, iter([]))
    one = training(Falling(limit, 1.0, monkeypatch))
    assert len(list(one.run())) == epochs
    assert one.cut == cut
    wanted = [RECIPE.rate_at(step, 9) for step in range(3)]
    if not cut:
        wanted += [RECIPE.rate_at(step, 3 * epochs) for step in range(3, 3 * epochs)]
    assert rates == wanted


@pytest.mark.parametrize(("limit", "epochs"), [(3.5, 3), (6.0, 5), (100.0, 6)])
def test_time_that_is_left_goes_into_more_epochs(training, monkeypatch, limit, epochs):
    rates = failing(monkeypatch, iter([]))
    one = training(Falling(limit, 1.0, monkeypatch), most=6)
    assert len(list(one.run())) == epochs
    assert not one.cut
    wanted = [RECIPE.rate_at(step, 9) for step in range(3)]
    assert rates == wanted + [RECIPE.rate_at(step, 3 * epochs) for step in range(3, 3 * epochs)]


def test_a_shortened_training_stays_so_when_it_goes_on(training, monkeypatch):
    whole = training(Falling(2.5, 1.0, monkeypatch))
    steps = whole.run()
    next(steps), next(steps)
    again = training()
    assert again.learner.epochs == 2
    assert again.stopped


def test_a_training_that_goes_on_after_its_time_is_not_trained_on(training):
    next(training().run())
    late = training(Clock(1.0, before=2.0))
    assert list(late.run()) == []
    assert late.cut
    assert late.learner.done == 1


@pytest.mark.parametrize("broken_after", [1, 2, 3])
def test_time_that_is_left_goes_into_more_epochs_of_a_training_that_goes_on(
    training, monkeypatch, broken_after
):  # fmt: skip
    """How long an epoch takes is not known again before one is done."""
    clock = Falling(100.0, 1.0, monkeypatch)
    steps = training(clock, most=6).run()
    for _ in range(broken_after):
        next(steps)
    again = training(clock, most=6)
    assert len(again.history) == broken_after
    list(again.run())
    assert [row["epoch"] for row in again.history] == [*range(1, 7)]


@pytest.mark.parametrize(("limit", "told"), [(2.5, "2 of 3"), (3.5, "3 of 3"),
                                             (100.0, "6, 3 planned")])  # fmt: skip
def test_the_report_says_how_many_epochs_there_were(training, monkeypatch, limit, told):
    one = training(Falling(limit, 1.0, monkeypatch), most=6)
    list(one.run())
    assert _epochs(one.outcome) == told
