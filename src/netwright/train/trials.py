"""Running a job: nets begun with trained weights, or nets of their own, rung after rung."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from netwright.core.files import write_text
from netwright.data.dataset import Dataset
from netwright.data.image import Preprocessing
from netwright.errors import RunError
from netwright.report.numbers import counted
from netwright.train.approach import Approach
from netwright.train.batches import Images
from netwright.train.begin import images_of, part_of, random_model
from netwright.train.checkpoint import read_checkpoint
from netwright.train.folds import Fold, averaged, folded
from netwright.train.halving import most_epochs
from netwright.train.job import Job
from netwright.train.outcome import Clock, Outcome
from netwright.train.processes import agreed, here
from netwright.train.training import Training
from netwright.train.tuning import Tuning
from netwright.train.watch import Epoch, Watch

__all__ = ["Trials"]

SPARE = 1.2
"""So many times as long as it takes has to be left where a net learns once more."""
Begin = Callable[[Approach, Fold], nn.Module]
"""Makes the module of an approach with its first weights, to learn from the images of a fold."""


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
            Tuning(self).run()
            self.restart()
        self._halve()
        return self._with_all_images(self.best())

    def best(self) -> Outcome:
        """The outcome with the best accuracy on validation; of equals the one trained longest,
        then the smaller loss. Where nets were cross-validated, the one that was chosen so.

        What learnt by gradient descent has to beat the best linear model by more than the
        standard error of its accuracy: with few images that much is chance.
        """
        singles = [o for o in self.outcomes if o.folds == 1]
        if self.job.folds > 1 and not self.cut:
            last = max(o.rung for o in singles)
            singles = [o for o in singles if o.rung == last]
        probes = [o for o in singles if o.approach.method == "probe"]
        probe = min(probes, key=lambda o: o.last["folds_loss"], default=None)
        others = [o for o in singles or self.outcomes if o not in probes]
        trained = min(others, key=lambda o: (o.rank[0], -o.rung, o.rank[1]), default=probe)
        assert trained is not None
        if probe is None or trained is probe:
            return trained
        if trained.diverged:
            return probe
        checked = any(o.folds > 1 for o in self.outcomes) and not self.cut
        better = checked or self.beats(trained, probe, "val_accuracy")
        return trained if better else probe  # what was checked first was trained as it is better

    def beats(self, trained: Outcome, probe: Outcome, word: str) -> bool:
        """Whether a trained net is better than a linear model by more than chance, where `word` is
        the linear model's accuracy on the same images.
        """
        share, images = probe.last[word], self.dataset.size("val")
        if word == "folds_accuracy":
            images += self.dataset.size("train")
        margin = (share * (1 - share) / images) ** 0.5
        return trained.last["val_accuracy"] > share + margin

    def _with_all_images(self, winner: Outcome) -> Outcome:
        """The winner, which learns once more from the images of training and validation together
        where nets were compared on these and the time allows. Its figures stay as they were.
        """
        learnt, approach = len(winner.history), winner.approach
        patient = bool(approach.recipe.patience)  # its end was chosen on validation
        compared = len(self.job.approaches) > 1 and approach.method != "probe"
        if not compared or self.cut or winner.diverged or patient:
            return winner
        more = self.dataset.size("train", "val") / self.dataset.size("train")
        cost = more * self.job.costs[self._number(winner)]
        name = f"{approach.name}-all"
        begun = agreed((self.folder / f"{name}.safetensors").exists())
        seconds = learnt * cost * agreed(self._slowness())
        if not begun and agreed(self.clock.left) < SPARE * seconds:
            return winner
        both = self.images(self.dataset.indices("train", "val"), approach.preprocessing)
        images = counted(len(both), "image")
        self.watch.say(f"{approach.net.name} learns once more, from all {images} of training "
                       "and validation")  # fmt: skip
        again = replace(approach, name=name, epochs=learnt)
        training = self._training(
            again, lambda: random_model(again, both),
            Fold(both, self.split("val", approach.preprocessing)),
        )  # fmt: skip
        self.restart()
        for _ in self._followed(training, cost, validated=False):
            pass
        outcome = training.outcome
        if training.cut or outcome.diverged:
            self.watch.say(f"that did not come to its end; {approach.net.name} stays as it was")
            return winner
        return replace(winner, final=outcome.model)

    def _slowness(self) -> float:
        """How many times as long as planned the trainings so far took; 1 where nobody knows."""
        begun, before = self._pace or (0.0, 0.0)
        done = self.done - before
        timed = done > 0 and self.clock.limit is not None
        return (self.clock.spent - begun) / done if timed else 1.0

    def images(self, indices: np.ndarray, preprocessing: Preprocessing) -> Images:
        """Images with their labels, as a net wants them."""
        return images_of(self.dataset, indices, preprocessing)

    def split(self, part: str, preprocessing: Preprocessing) -> Images:
        """The images of one split."""
        return part_of(self.dataset, part, preprocessing)

    def _folds(self, preprocessing: Preprocessing, count: int) -> list[Fold]:
        """So many folds of training and validation, or the two as they are."""
        if count > 1:
            pooled = self.images(self.dataset.indices("train", "val"), preprocessing)
            return folded(pooled, self.job.seed, count)
        return [Fold(self.split("train", preprocessing), self.split("val", preprocessing))]

    def _halve(self) -> None:
        """Nets from nothing: many a little, few more, one to the end."""
        alive = list(range(len(self.job.approaches)))
        for rung, plan in enumerate(self.job.rungs):
            alive = sorted(alive[: plan.nets])
            count = self.job.folds if rung < len(self.job.rungs) - 1 else 1
            for place, candidate in enumerate(alive):
                approach = self.job.trial(rung, candidate)
                ahead = self._ahead(rung, alive[place + 1 :], alive)
                steps = approach.recipe.steps(self.dataset.size("train"))
                if self.outcomes and agreed(self.clock.left) < 0:
                    self.cut = True
                else:
                    self.train(
                        approach,
                        lambda approach, fold: random_model(approach, fold.train),
                        rung=rung, folds=count, cost=self.job.costs[candidate], ahead=ahead,
                        most=0 if ahead or self.job.epochs else most_epochs(steps),
                    )  # fmt: skip
                if self.cut:
                    return
            outcomes = [o for o in self.outcomes if o.rung == rung and o.approach.method != "probe"]
            alive = [self._number(o) for o in sorted(outcomes, key=lambda o: o.rank)]

    def _number(self, outcome: Outcome) -> int:
        nets = [approach.net for approach in self.job.approaches]
        return nets.index(outcome.approach.net)

    def train(
        self, approach: Approach, begin: Begin, *, rung: int = 0, folds: int = 1,
        cost: float = 1.0, ahead: float = 0.0, most: int = 0,
    ) -> None:  # fmt: skip
        """Trains an approach, from its checkpoint where there is one, and notes how far it is;
        `cut` says whether the time was up.

        Arguments:
            begin: makes its module.
            folds: how often, each time with other images left out; once with validation.
            cost: of an epoch, and `ahead` of all that comes after it, as `done` counts.
            most: up to so many epochs where the time allows more than were planned.
        """
        parts, outcomes = self._folds(approach.preprocessing, folds), list[Outcome]()
        left_out = [len(fold.val) for fold in parts]

        def note(outcome: Outcome) -> None:
            whole = [*outcomes, outcome]
            if folds > 1:
                outcome = averaged(approach, whole, left_out[: len(whole)])
            self.keep(replace(outcome, rung=rung))

        for i, fold in enumerate(parts):
            own = replace(approach, name=f"{approach.name}-fold{i + 1}") if folds > 1 else approach
            training = self._training(own, lambda own=own, fold=fold: begin(own, fold), fold, most)
            later = cost * approach.epochs * (folds - i - 1) + ahead
            for _ in self._followed(training, cost, later):
                note(training.outcome)
            note(training.outcome)
            outcomes.append(training.outcome)
            if training.cut:
                self.cut = True
                return

    def _training(
        self, approach: Approach, begin: Callable[[], nn.Module], fold: Fold, most: int = 0
    ) -> Training:
        return Training(
            approach, begin, fold.train, fold.val, folder=self.folder,
            fingerprint=self.dataset.fingerprint, clock=self.clock, tell=self.watch.say, most=most,
        )  # fmt: skip

    def _followed(
        self, training: Training, cost: float, ahead: float = 0.0, *, validated: bool = True
    ) -> Iterator[None]:
        """Trains epoch by epoch and tells of each; `ahead` is what comes after all of them."""
        self.done += cost * len(training.history)
        self._pace = self._pace or (self.clock.spent, self.done)
        for row in training.run():
            self.done += cost
            yield
            rest = cost * (training.learner.epochs - len(training.history)) + ahead
            now = replace(training.approach, epochs=training.learner.epochs)
            figures = {} if validated else {"val_loss": None, "val_accuracy": None}
            self._tell(now, row | figures, rest)

    def restart(self) -> None:
        """Counts what is done from here."""
        self.done, self._pace = 0.0, None

    def keep(self, outcome: Outcome) -> None:
        """Notes how far an approach is."""
        others = [o for o in self.outcomes if o.name != outcome.name]
        self.outcomes = [*others, outcome] if outcome.history else others
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
        costs, plan, last = self.job.costs, self.job.rungs, len(self.job.rungs) - 1
        now = sum(costs[candidate] for candidate in rest) * plan[rung].epochs
        dearest = sorted((costs[candidate] for candidate in alive), reverse=True)
        work = [now, *(sum(dearest[: later.nets]) * later.epochs for later in plan[rung + 1 :])]
        return sum(seconds * (self.job.folds if rung + i < last else 1)
                   for i, seconds in enumerate(work))  # fmt: skip

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
