"""How far a run is, in plain lines to stderr: for notebooks, logs and pipes."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING

from netwright.report.numbers import counted, duration, human
from netwright.train.watch import Epoch, Watch

if TYPE_CHECKING:
    from netwright.data.dataset import Dataset
    from netwright.train.approach import Approach
    from netwright.train.job import Job

__all__ = ["Lines"]

NOTES = 3
"""Notes on the images that are printed; the report has all."""
PAUSE = 10.0
"""Seconds between two lines about the same work."""


class Lines(Watch):
    """A line for everything that happens."""

    def __init__(self) -> None:
        self._told = monotonic()

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def data(self, dataset: Dataset) -> None:
        parts = ", ".join(f"{len(chosen)} to {part}" for part, chosen in dataset.splits.items())
        self.say(f"{counted(dataset.size(), 'image')} of {len(dataset.classes)} classes, "
                 f"{dataset.size_words}: {parts}")  # fmt: skip
        if dataset.unreadable:
            count, first = len(dataset.unreadable), dataset.unreadable[0]
            self.say(f"{count} unreadable, left out; the first: {first}")
        notes = dataset.notes
        for note in notes[:NOTES]:
            self.say(note)
        if len(notes) > NOTES:
            self.say(f"in the report: {counted(len(notes) - NOTES, 'more note')}")
        if equal := len(dataset.twins["equal"]):
            self.say(f"outside training, but also in it: {counted(equal, 'image')}")
        if dataset.twins["close"]:
            self.say(f"{len(dataset.twins['close'])} more look much like one in training")
        if dataset.imbalance >= 3:
            self.say(
                f"the largest class has {dataset.imbalance:.1f} times the images of the smallest"
            )

    def planned(self, job: Job) -> None:
        for reason in job.why:
            self.say(reason)
        for approach in job.approaches:
            plan = approach.net.plan()
            size = f"{human(plan.params)} parameters, {human(plan.macs)} MACs"
            self.say(f"  {approach.net.name}: {size}")
        if job.approaches:
            steps = ", then ".join(
                f"{rung.nets} for {counted(rung.epochs, 'epoch')}" for rung in job.rungs
            )
            self.say(f"nets to train: {steps} ({job.precision})")

    def epoch(self, trial: Approach, epoch: Epoch) -> None:
        right = f"validation {100 * epoch.accuracy:.1f}%  " if epoch.accuracy is not None else ""
        self.say(
            f"{trial.name}  epoch {epoch.epoch}/{trial.epochs}  loss {epoch.loss:.3f}  {right}"
            f"{duration(epoch.left)} left"
        )

    def step(self, what: str, share: float, left: float) -> None:
        if monotonic() - self._told > PAUSE and share < 1:
            self._told = monotonic()
            self.say(f"{what}: {100 * share:.0f}%, {duration(left)} left")
