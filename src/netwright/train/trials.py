"""Training the nets of a job, rung after rung, with a checkpoint after every epoch."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from sklearn.metrics import log_loss

from netwright.core.files import write_bytes, write_text
from netwright.data.dataset import Dataset
from netwright.errors import RunError, WeightsError
from netwright.train.batches import Images
from netwright.train.job import Job, Trial
from netwright.train.learner import Learner, device, probabilities
from netwright.train.record import CHECKPOINT, EPOCH, require
from netwright.train.watch import Epoch, Watch
from netwright.weights.tensors import read_tensors

__all__ = ["Clock", "Outcome", "Trials", "split_of"]

AGAIN = "remove it to train that net again"
DIVERGED = 1e9
"""Stands for a loss that is not finite: JSON has no word for it, and it ranks last."""


@dataclass
class Clock:
    """Seconds spent on a run, the processes before this one included; `limit` may be None."""

    limit: float | None
    before: float = 0.0
    began: float = field(default_factory=monotonic)
    epoch: float = 0.0

    @property
    def spent(self) -> float:
        """Seconds since the run began, pauses left out."""
        return self.before + monotonic() - self.began

    @property
    def over(self) -> bool:
        """Whether another epoch like the last would end too late."""
        return self.limit is not None and self.spent + self.epoch > self.limit


@dataclass(frozen=True)
class Outcome:
    """What became of a trial: one entry of `history` an epoch."""

    trial: Trial
    history: list[dict[str, Any]]

    @property
    def rank(self) -> tuple[float, float, int]:
        """Smaller is better: accuracy on validation, then loss, then the order of the nets."""
        last = self.history[-1]
        return (-last["val_accuracy"], last["val_loss"], self.trial.candidate)

    @property
    def diverged(self) -> bool:
        """Whether its loss stopped being finite."""
        return _diverged(self.history)

    @property
    def complete(self) -> bool:
        """Whether all its epochs were trained."""
        return len(self.history) == self.trial.epochs


def split_of(dataset: Dataset, part: str) -> Images:
    """One split on the device."""
    chosen = dataset.splits[part]
    return Images(dataset.pixels[chosen], dataset.labels[chosen], dataset.preprocessing, device())


class Trials:
    """Runs the trials of a job in `folder`; what a checkpoint there knows is not done again."""

    def __init__(
        self, job: Job, dataset: Dataset, folder: Path, watch: Watch, clock: Clock
    ) -> None:
        self.job, self.folder, self.watch, self.clock = job, folder, watch, clock
        self.fingerprint = dataset.fingerprint
        self.train, self.val = split_of(dataset, "train"), split_of(dataset, "val")
        self.outcomes: list[Outcome] = []
        self.cut = False
        self._done = 0.0
        self._paced: tuple[float, float] | None = None

    def run(self) -> Outcome:
        """Goes through the rungs; the winner is best on validation of all that were trained."""
        self.clock.before += self._spent_before()
        alive = list(range(len(self.job.nets)))
        for rung, plan in enumerate(self.job.rungs):
            alive = sorted(alive[: plan.nets])
            for place, candidate in enumerate(alive):
                ahead = self._ahead(rung, alive[place + 1 :], alive)
                self._run(self.job.trial(rung, candidate), ahead)
                if self.cut:
                    return self.best()
            ranked = sorted(
                (o for o in self.outcomes if o.trial.rung == rung), key=lambda o: o.rank
            )
            alive = [outcome.trial.candidate for outcome in ranked]
        return self.best()

    def best(self) -> Outcome:
        """The outcome with the best accuracy on validation, of equals the one trained longest."""
        return min(self.outcomes, key=lambda o: (o.rank[0], -o.trial.rung, o.rank[1:]))

    def learner(self, trial: Trial) -> Learner:
        """The net of a trial at the state of its checkpoint."""
        learner = self._fresh(trial)
        self._restore(learner, trial, self._load(trial))
        return learner

    def _restore(self, learner: Learner, trial: Trial, held: dict[str, Any]) -> None:
        try:
            learner.restore(held["learner"])
            fits = learner.done == len(held["history"])
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError):
            fits = False
        if not fits:
            raise RunError(f"{self._path(trial)} was changed and is of no use; {AGAIN}")

    def _fresh(self, trial: Trial) -> Learner:
        job = self.job
        return Learner(trial.net, job.recipe, epochs=trial.epochs, seed=job.seed, name=trial.name,
                       precision=job.precision)  # fmt: skip

    def _run(self, trial: Trial, ahead: float) -> None:
        learner, history = self._fresh(trial), list[dict[str, Any]]()
        held = self._load(trial) if self._path(trial).exists() else None
        if held:
            self._restore(learner, trial, held)
            history = held["history"]
            self._done += len(history) * trial.epoch_cost
            self.outcomes.append(Outcome(trial, history))
            self._log()  # a process killed behind its checkpoint has not told of it
        while len(history) < trial.epochs and not _diverged(history):
            if self.clock.over and self.outcomes:
                self.cut = True
                return
            began = monotonic()
            history.append(self._epoch(learner, trial))
            if len(history) == 1:
                self.outcomes.append(Outcome(trial, history))
            self._save(trial, learner, history)
            self.clock.epoch = monotonic() - began
            self._done += trial.epoch_cost
            self._tell(trial, history, ahead)

    def _epoch(self, learner: Learner, trial: Trial) -> dict[str, Any]:
        loss = learner.epoch(self.train)
        made = probabilities(learner.model, self.val)
        truth = self.val.labels.cpu().numpy()
        sound = bool(np.isfinite(loss) and np.isfinite(made).all())
        return {
            "trial": trial.name,
            "rung": trial.rung + 1,
            "epoch": learner.done,
            "train_loss": loss if sound else DIVERGED,
            "val_loss": float(log_loss(truth, made, labels=range(made.shape[1])))
            if sound
            else DIVERGED,
            "val_accuracy": float((made.argmax(1) == truth).mean()) if sound else 0.0,
        }

    def _tell(self, trial: Trial, history: list[dict[str, Any]], ahead: float) -> None:
        rest = (trial.epochs - len(history)) * trial.epoch_cost + ahead
        spent = self.clock.spent
        start, done = self._paced or (spent - self.clock.epoch, self._done - trial.epoch_cost)
        self._paced = (start, done)
        left = rest * (spent - start) / (self._done - done)
        if self.clock.limit is not None:
            left = min(left, max(0.0, self.clock.limit - spent))
        last = history[-1]
        share = self._done / (self._done + rest)
        told = Epoch(last["epoch"], last["train_loss"], last["val_accuracy"], share, left)
        self.watch.epoch(trial, told)

    def _ahead(self, rung: int, rest: list[int], alive: list[int]) -> float:
        """What the trials after this one cost at most."""
        costs, plan = self.job.costs, self.job.rungs
        now = sum(costs[candidate] for candidate in rest) * plan[rung].epochs
        dearest = sorted((costs[candidate] for candidate in alive), reverse=True)
        return now + sum(sum(dearest[: later.nets]) * later.epochs for later in plan[rung + 1 :])

    def _path(self, trial: Trial) -> Path:
        return self.folder / "checkpoints" / f"{trial.name}.pt"

    def _save(self, trial: Trial, learner: Learner, history: list[dict[str, Any]]) -> None:
        held = io.BytesIO()
        belongs = self.job.belongs(self.fingerprint, trial)
        torch.save({"belongs": belongs, "learner": learner.state(), "history": history,
                    "spent": self.clock.spent}, held)  # fmt: skip
        write_bytes(self._path(trial), held.getvalue())
        self._log()

    def _log(self) -> None:
        """Writes metrics.jsonl: one line an epoch of all trials so far."""
        lines = [json.dumps(row) for outcome in self.outcomes for row in outcome.history]
        write_text(self.folder / "metrics.jsonl", "\n".join(lines) + "\n")

    def _load(self, trial: Trial) -> dict[str, Any]:
        path = self._path(trial)
        held = _read(path)
        if held.get("belongs") != self.job.belongs(self.fingerprint, trial):
            raise RunError(f"{path} does not belong to this run: other images, net or "
                           f"settings; {AGAIN}")  # fmt: skip
        return held

    def _spent_before(self) -> float:
        paths = (self.folder / "checkpoints").glob("*.pt")
        return max((_read(path)["spent"] for path in paths), default=0.0)


def _read(path: Path) -> dict[str, Any]:
    try:
        held = read_tensors(path, device())
    except WeightsError as error:
        raise RunError(f"{path} is no readable checkpoint ({error}); {AGAIN}") from None
    require(held, CHECKPOINT, path, AGAIN)
    for row in held["history"]:
        require(row, EPOCH, path, AGAIN)
    return held


def _diverged(history: list[dict[str, Any]]) -> bool:
    return bool(history) and history[-1]["train_loss"] == DIVERGED
