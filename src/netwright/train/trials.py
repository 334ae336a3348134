"""Running a job: probes of trained nets and fine-tuning, or nets of their own, rung after rung."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from torch import nn

from netwright.core.files import write_text
from netwright.data.dataset import Dataset
from netwright.data.image import Preprocessing
from netwright.errors import RunError
from netwright.speed.training import step_seconds
from netwright.train.approach import Approach
from netwright.train.batches import Images
from netwright.train.begin import images_of, part_of, random_model, training_of
from netwright.train.checkpoint import read_checkpoint
from netwright.train.features import LATE
from netwright.train.job import Job
from netwright.train.outcome import Clock, Outcome
from netwright.train.processes import agreed, first_then_others, here
from netwright.train.record import read_json
from netwright.train.training import Training
from netwright.train.transfer import Probe, begin_with_probe
from netwright.train.watch import Epoch, Watch

__all__ = ["Trials"]

TUNING = 0.8
"""Share of the time left that fine-tuning may plan with."""
LEAST_TUNED, MOST_TUNED = 3, 30
"""Epochs of fine-tuning: with less time than for the least it is left out."""
FEW = 2000
"""With fewer training images parts begin to learn one after the other."""


class Trials:
    """Runs a job in `folder`; what a checkpoint there holds is not done again."""

    def __init__(
        self, job: Job, dataset: Dataset, folder: Path, watch: Watch, clock: Clock
    ) -> None:
        self.job, self.dataset, self.folder = job, dataset, folder / "checkpoints"
        self.watch, self.clock, self.log = watch, clock, folder / "metrics.jsonl"
        self.outcomes: list[Outcome] = []
        self.cut = False
        self.done = 0.0
        self._pace: tuple[float, float] | None = None

    def run(self) -> Outcome:
        """Goes through the job; the winner is the best on validation."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clock.before += self._spent_before()
        if self.job.backbones:
            self._transfer()
        else:
            self._halve()
        return self.best()

    def best(self) -> Outcome:
        """The outcome with the best accuracy on validation; of equals the one trained longest,
        then the smaller loss. What was fine-tuned has to beat the best linear model by more than
        the standard error of its accuracy: with few images that much is chance.
        """
        winner = min(self.outcomes, key=lambda o: (o.rank[0], -o.rung, o.rank[1]))
        probes = [o for o in self.outcomes if o.approach.method == "probe"]
        if not probes:
            return winner
        probe = min(probes, key=lambda o: o.last["folds_loss"])
        share = probe.last["val_accuracy"]
        margin = (share * (1 - share) / self.dataset.size("val")) ** 0.5
        better = winner.last["val_accuracy"] > share + margin
        return winner if better and winner not in probes else probe

    def images(self, indices: np.ndarray, preprocessing: Preprocessing) -> Images:
        """Images with their labels, as a net wants them."""
        return images_of(self.dataset, indices, preprocessing)

    def split(self, part: str, preprocessing: Preprocessing) -> Images:
        """The images of one split."""
        return part_of(self.dataset, part, preprocessing)

    def _transfer(self) -> None:
        """A probe of every backbone that time allows, then the best of them fine-tuned."""
        probes, seconds = list[tuple[Probe, Outcome]](), 0.0
        for backbone in self.job.backbones:
            if probes and agreed(self.clock.left) < 4 * agreed(seconds):
                self.watch.say(f"{backbone.net.name} is left out: the time is short")
                continue
            began = monotonic()
            probe = Probe(
                backbone, self.dataset, self.images, folder=self.folder, mirrored=True,
                precision=self.job.precision, seed=self.job.seed,
            )  # fmt: skip
            self.watch.say(f"features of {backbone.net.name} ({backbone.weights})")
            with first_then_others():
                outcome = probe.outcome()
            seconds = monotonic() - began
            probes.append((probe, outcome))
            row = outcome.last
            self.watch.say(
                f"{outcome.name}: layer {row['layer']}, {100 * row['folds_accuracy']:.1f}% on "
                f"images left out in turn, {100 * row['val_accuracy']:.1f}% on validation"
            )
        probe, best = min(probes, key=lambda pair: pair[1].last["folds_loss"])
        if self.job.transfer in ("auto", "probe"):
            self.outcomes += [outcome for _, outcome in probes]
            self._write_log()
        if self.job.transfer != "probe":
            self._fine_tune(probe, best)

    def _fine_tune(self, probe: Probe, best: Outcome) -> None:
        """Gradient descent from the best probe, if there is time for it."""
        with first_then_others():
            approach = self._decided(best)
        if approach is None:
            return
        training = self._training(approach, begin_with_probe(probe, approach))
        self._pace = (self.clock.spent, float(len(training.history)))
        for row in training.run():
            self.done = float(row["epoch"])
            self._tell(approach, row, training.learner.epochs - self.done)
            self._keep(training.outcome)
        self._keep(training.outcome)
        self.cut = training.cut

    def _decided(self, best: Outcome) -> Approach | None:
        """How to fine-tune: decided once, then read again; None where it is not worth the time."""
        file = self.folder / "fine-tune.json"
        if file.exists():
            record = read_json(file)
            return Approach.from_json(record) if record else None
        images = self.dataset.size("train")
        recipe, method = self.job.recipe, self.job.transfer
        if method == "auto":
            method = "stages" if images < FEW else "full"
        assert best.approach.backbone is not None
        net = best.approach.backbone.but(classes=len(self.dataset.classes))
        epochs = self.job.epochs
        if epochs is None:
            seconds = step_seconds(net, recipe, self.job.precision) * recipe.steps(images)
            epochs = min(MOST_TUNED, int(TUNING * self.clock.left / seconds))
            if epochs < LEAST_TUNED and self.job.transfer != "auto":
                epochs = LEAST_TUNED
        approach = None
        if epochs >= (LEAST_TUNED if self.job.epochs is None else 1):
            approach = replace(best.approach, name=f"{net.name}-{method}", method=method, net=net,
                               layer=LATE, recipe=recipe, epochs=epochs)  # fmt: skip
        else:
            self.watch.say("fine-tuning is left out: the time does not suffice for it")
        write_text(file, json.dumps(approach.to_json() if approach else None))
        return approach

    def _halve(self) -> None:
        """Nets from nothing: many a little, few more, one to the end."""
        alive = list(range(len(self.job.approaches)))
        for rung, plan in enumerate(self.job.rungs):
            alive = sorted(alive[: plan.nets])
            for place, candidate in enumerate(alive):
                ahead = self._ahead(rung, alive[place + 1 :], alive)
                self._scratch(rung, candidate, ahead)
                if self.cut:
                    return
            outcomes = [outcome for outcome in self.outcomes if outcome.rung == rung]
            alive = [self._number(o) for o in sorted(outcomes, key=lambda o: o.rank)]

    def _number(self, outcome: Outcome) -> int:
        nets = [approach.net for approach in self.job.approaches]
        return nets.index(outcome.approach.net)

    def _scratch(self, rung: int, candidate: int, ahead: float) -> None:
        approach, cost = self.job.trial(rung, candidate), self.job.costs[candidate]
        if self.outcomes and agreed(self.clock.left) < 0:
            self.cut = True
            return
        training = self._training(approach, lambda: random_model(approach, self.dataset))
        self.done += cost * len(training.history)
        self._pace = self._pace or (self.clock.spent, self.done)
        for row in training.run():
            self.done += cost
            self._keep(training.outcome, rung)
            rest = (training.learner.epochs - len(training.history)) * cost + ahead
            self._tell(approach, row, rest)
        self._keep(training.outcome, rung)
        self.cut = training.cut

    def _training(self, approach: Approach, begin: Callable[[], nn.Module]) -> Training:
        return training_of(approach, self.dataset, begin, folder=self.folder, clock=self.clock,
                           tell=self.watch.say)  # fmt: skip

    def _keep(self, outcome: Outcome, rung: int = 0) -> None:
        """Notes how far an approach is."""
        outcome = replace(outcome, rung=rung)
        others = [o for o in self.outcomes if o.name != outcome.name]
        self.outcomes = [*others, outcome] if outcome.history else others
        self._write_log()

    def _write_log(self) -> None:
        if here().rank:
            return
        rows = [json.dumps(row) for outcome in self.outcomes for row in outcome.history]
        write_text(self.log, "\n".join(rows) + "\n")

    def _tell(self, approach: Approach, row: dict[str, Any], rest: float) -> None:
        """How far the run is, by the pace so far; `rest` is what is left, as `done` counts."""
        begun, before = self._pace or (0.0, 0.0)
        seconds, done = self.clock.spent - begun, self.done - before
        left = rest * seconds / done if done > 0 else self.clock.left
        left = max(0.0, min(left, self.clock.left))
        share = self.done / max(1e-9, self.done + rest)
        epoch = Epoch(row["epoch"], row["train_loss"], row["val_accuracy"], share, left, row)
        self.watch.epoch(approach, epoch)

    def _ahead(self, rung: int, rest: Sequence[int], alive: Sequence[int]) -> float:
        """What the trials after this one cost at most."""
        costs, plan = self.job.costs, self.job.rungs
        now = sum(costs[candidate] for candidate in rest) * plan[rung].epochs
        dearest = sorted((costs[candidate] for candidate in alive), reverse=True)
        return now + sum(sum(dearest[: later.nets]) * later.epochs for later in plan[rung + 1 :])

    def _spent_before(self) -> float:
        """Seconds that processes before this one worked, by the checkpoints they left."""
        spent = 0.0
        for path in self.folder.glob("*.safetensors"):
            try:
                record = read_checkpoint(path)
            except RunError:
                continue  # said, with what to do, when its net is trained
            seconds = record.get("spent") if isinstance(record, dict) else None
            if isinstance(seconds, float):
                spent = max(spent, seconds)
        return spent
