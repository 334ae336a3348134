"""Training by gradient, step after step, with checkpoints from which it goes on to the bit."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from torch import nn

from netwright.core.machine import out_of_memory
from netwright.errors import RunError
from netwright.report.numbers import counted
from netwright.train.approach import Approach
from netwright.train.batches import Images
from netwright.train.checkpoint import read_checkpoint, write_checkpoint
from netwright.train.finder import find_rate
from netwright.train.freezing import frozen, layer_rates, sections
from netwright.train.learner import Learner, device, probabilities
from netwright.train.outcome import DIVERGED, Clock, Outcome, on_validation
from netwright.train.processes import agreed, first_then_others
from netwright.train.record import CHECKPOINT, EPOCH, require
from netwright.train.whitening import LEARNING, first

__all__ = ["Training"]

EVERY = 20.0
"""Seconds between the checkpoints of an epoch; at its end there is one anyway."""
RETREATS, SLOWER = 3, 0.3
"""A net that diverges goes back to its last checkpoint so often, and learns on slower by that."""
SPARE = 1.15
"""More epochs than planned are trained where the time left is longer than theirs by this."""
LAYERWISE = ("stages", "full", "boosted")
"""Methods under which parts learn the slower the earlier they are."""
MOST_PARTS = 64
AGAIN = "remove it to train that net again"


class Training:
    """One approach while its net learns.

    Arguments:
        approach: net, recipe, epochs.
        begin: makes the module with its first weights; asked for when there is no checkpoint,
            and then too, because its parts that never learn are not in one.
        train, val: the images.
        folder: where the checkpoint is.
        fingerprint: of the images; a checkpoint of others is refused.
        clock: training stops between epochs when another would end too late.
        tell: hears a line for people.
        most: up to so many epochs are trained where there is time for more than were planned.
    """

    def __init__(
        self,
        approach: Approach,
        begin: Callable[[], nn.Module],
        train: Images,
        val: Images,
        *,
        folder: Path,
        fingerprint: str,
        clock: Clock,
        tell: Callable[[str], None] = lambda line: None,
        most: int = 0,
    ) -> None:
        self.approach, self.train, self.val, self.clock = approach, train, val, clock
        self.path = folder / f"{approach.name}.safetensors"
        self.belongs = approach.belongs(fingerprint)
        self.tell, self.most = tell, most
        model = begin()
        self.sections = sections(model)
        scale = layer_rates(self.sections) if approach.method in LAYERWISE else None
        counts = torch.bincount(train.labels, minlength=train.classes).float().clamp(min=1)
        weights = counts.mean() / counts if approach.recipe.balance else None
        self.learner = Learner(
            model, approach.recipe, epochs=approach.epochs, seed=approach.seed, name=approach.name,
            precision=approach.precision, class_weights=weights, scale=scale,
        )  # fmt: skip
        self.history: list[dict[str, Any]] = []
        self.retreats = 0
        self.cut = False
        self._saved = monotonic()
        if approach.recipe.find and not agreed(self.path.exists()):
            rate = find_rate(self.learner, train)
            self.learner.factor = rate / approach.recipe.rate
            tell(f"{approach.name}: a range test found the learning rate {rate:.2g}")
        with first_then_others():
            if self.path.exists():
                self._restore()
            else:
                self._save()

    @property
    def outcome(self) -> Outcome:
        """What became of it so far."""
        best = self.learner.best  # alone, so that the optimisers can go
        return Outcome(self.approach, self.history, lambda: best)

    @property
    def stopped(self) -> bool:
        """Whether it is through: all epochs, or no better for as long as the recipe waits."""
        patience = self.approach.recipe.patience
        losses = [row["val_loss"] for row in self.history]
        stale = bool(patience) and len(losses) > patience and min(losses) < min(losses[-patience:])
        diverged = bool(losses) and losses[-1] == DIVERGED
        return self.learner.done >= self.learner.epochs or stale or diverged

    def run(self) -> Iterator[dict[str, Any]]:
        """Trains on; a row of the history after every epoch, when its checkpoint is written."""
        longest = 0.0
        while not self.stopped:
            if self.history and not self._fits(longest):
                self.cut = True
                return
            began = monotonic()
            yield self._epoch()
            longest = max(longest, agreed(monotonic() - began))

    def _fits(self, seconds: float) -> bool:
        """Whether there is time for another epoch of so many seconds, 0 before the first of this
        process. Where there is, but not for all that were planned, fewer are trained: a rate that
        has not fallen leaves a bad net. Where there is time for more than `SPARE` more than those,
        more are.
        """
        left, rest = agreed(self.clock.left), self.learner.epochs - self.learner.done
        if left < seconds:
            return False
        if left < rest * seconds:
            self._replan(int(left / seconds))
        elif seconds and left > SPARE * (rest + 1) * seconds and self.learner.epochs < self.most:
            self._replan(min(int(left / seconds / SPARE), self.most - self.learner.done))
        return True

    def _replan(self, rest: int) -> None:
        """So many epochs from here."""
        before, self.learner.epochs = self.learner.epochs, self.learner.done + rest
        how = "slower" if self.learner.epochs < before else "faster"
        # Kernels in bfloat16 wait for each other: beside one busy process 20 times as slow.
        busy = torch.get_num_threads() > 1 and self.learner.epochs < before / 2
        hint = "; beside other work fewer threads are faster (OMP_NUM_THREADS)" if busy else ""
        epochs = counted(self.learner.epochs, "epoch")
        self.tell(f"{self.approach.name}: {how} than planned, {epochs} instead of {before}{hint}")

    def _epoch(self) -> dict[str, Any]:
        sound = self._steps()
        loss = self.learner.take_loss(self.approach.recipe.steps(len(self.train)))
        figures = {"val_loss": DIVERGED, "val_accuracy": 0.0}
        if sound:
            shares = probabilities(self.learner.best, self.val, precision=self.approach.precision)
            figures = on_validation(self.val.labels.cpu().numpy(), shares)
        sound = figures["val_loss"] != DIVERGED
        row = {"trial": self.approach.name, "epoch": self.learner.done,
               "train_loss": loss if sound else DIVERGED, **figures}  # fmt: skip
        self.history.append(row)
        self._save()
        return row

    def _steps(self) -> bool:
        """The rest of the epoch, from the last checkpoint again where it has to be; False when
        the net diverges whatever the rate.
        """
        while True:
            try:
                with self._freezing():
                    for loss in self.learner.epoch(self.train):
                        self._after(loss)
            except FloatingPointError:
                if self.retreats == RETREATS or self.learner.place.world > 1:
                    self.learner.end()
                    return False
                self._retreat()
            except RuntimeError as error:
                if not out_of_memory(error) or self.learner.parts >= MOST_PARTS:
                    raise
                self._halve()
            else:
                return True

    def _after(self, loss: float) -> None:
        """What comes after a step; `FloatingPointError` where the net diverges."""
        if not abs(loss) < DIVERGED:
            raise FloatingPointError
        if monotonic() - self._saved > EVERY:
            self._save()

    def _retreat(self) -> None:
        """Back to the last checkpoint, to learn on slower."""
        retreats, factor = self.retreats + 1, SLOWER * self.learner.factor
        self._restore()
        self.retreats, self.learner.factor = retreats, factor
        self.tell(f"{self.approach.name}: the loss grew without bound; back in epoch "
                  f"{self.learner.done + 1}, at {factor:.2g} of the rate")  # fmt: skip

    def _halve(self) -> None:
        """Back to the last checkpoint, to compute every batch in twice as many parts."""
        parts = 2 * self.learner.parts
        self._restore()
        self.learner.parts = parts
        self.tell(f"{self.approach.name}: memory does not suffice for a batch; each is computed "
                  f"in {parts} parts from here, whose gradients add up")  # fmt: skip

    @contextmanager
    def _freezing(self) -> Generator[None]:
        """What does not learn yet in this epoch: the backbone of `head`, of `stages` all but
        the last parts, one more part in each share of the first half of the epochs. Nor does what
        has learnt enough: the biases of filters that whiten.
        """
        learning = len(self.sections)
        if self.approach.method == "head":
            learning = 1
        elif self.approach.method == "stages":
            share = self.learner.done / max(1, self.approach.epochs // 2)
            learning = 1 + int(share * (len(self.sections) - 1))
        resting = self.sections[: max(0, len(self.sections) - learning)]
        if self.approach.recipe.whiten and self.learner.done >= LEARNING * self.learner.epochs:
            resting = [*resting, first(self.learner.model)[0]]
        with frozen(self.learner.model, resting):
            yield

    def _save(self) -> None:
        if self.learner.place.rank == 0:
            write_checkpoint(self.path, {
                "belongs": self.belongs, "learner": self.learner.state(),
                "history": self.history, "retreats": self.retreats, "spent": self.clock.spent,
            })  # fmt: skip
        self._saved = monotonic()

    def _restore(self) -> None:
        record = read_checkpoint(self.path, device())
        require(record, CHECKPOINT, self.path, AGAIN)
        if record["belongs"] != self.belongs:
            raise RunError(f"{self.path} does not belong to this run: other images, net or "
                           f"settings; {AGAIN}")  # fmt: skip
        for row in record["history"]:
            require(row, EPOCH, self.path, AGAIN)
        try:
            self.learner.restore(record["learner"])
            self.history, self.retreats = record["history"], int(record["retreats"])
            fits = self.learner.done == len(self.history)
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError):
            fits = False
        if not fits:
            raise RunError(f"{self.path} was changed and is of no use; {AGAIN}")
