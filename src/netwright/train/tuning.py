"""Beginning with trained nets: a linear model on the features of each, then gradient descent."""

from __future__ import annotations

import json
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from netwright.core.files import write_text
from netwright.core.net import Net
from netwright.report.numbers import counted
from netwright.speed.training import choices, faster
from netwright.train.approach import Approach
from netwright.train.backbones import Backbone
from netwright.train.boosting import boosted
from netwright.train.features import LATE
from netwright.train.outcome import Outcome
from netwright.train.processes import agreed, first_then_others
from netwright.train.record import FINE_TUNE, SAMPLE, read_json, require
from netwright.train.sampling import Sample, affordable, measured, sampled
from netwright.train.speeds import step_seconds
from netwright.train.transfer import Probe

if TYPE_CHECKING:
    from netwright.train.trials import Trials

__all__ = ["Tuning"]

SHARE = 0.8
"""Share of the time left that fine-tuning may plan with."""
LEAST, ENOUGH, MOST = 3, 6, 30
"""Epochs of fine-tuning: with less time than for the least it is left out, with less than for
enough of them it is not cross-validated."""
FEW = 2000
"""With fewer training images parts begin to learn one after the other."""


class Tuning:
    """The part of a run that begins with trained nets."""

    def __init__(self, trials: Trials) -> None:
        self.trials, self.job, self.dataset = trials, trials.job, trials.dataset
        self.say, self.clock, self.folder = trials.watch.say, trials.clock, trials.folder

    def run(self) -> None:
        """A probe of every backbone that time allows, then the best of them fine-tuned, unless
        other nets are to learn in that time.
        """
        outcomes, seconds, longest = list[Outcome](), 0.0, 0.0
        enough = 2 if self.job.approaches else 4  # these have a time of their own
        for backbone in self.job.backbones:
            if outcomes and agreed(self._room) < enough * agreed(seconds):
                self.say(f"{backbone.net.name} is left out: the time is short")
                continue
            began = monotonic()
            self.say(f"features of {backbone.net.name} ({backbone.weights})")
            with first_then_others():
                probe = self._probe(backbone)
                outcome = probe.outcome()
            seconds = monotonic() - began
            longest = max(longest, probe.seconds)
            outcomes.append(outcome)
            row = outcome.last
            self.say(
                f"{outcome.name}: layer {row['layer']}, {100 * row['folds_accuracy']:.1f}% on "
                f"images left out in turn, {100 * row['val_accuracy']:.1f}% on validation"
            )
        if self.job.transfer in ("auto", "probe"):
            for outcome in outcomes:
                self.trials.keep(outcome)
        if self.job.transfer != "probe" and not self.job.approaches:
            self._fine_tune(min(outcomes, key=lambda outcome: outcome.last["folds_loss"]))
        elif self.job.approaches and self.clock.limit is not None:
            self.clock.limit -= self._test_seconds(longest)  # what follows takes all that is left

    def _test_seconds(self, seconds: float) -> float:
        """How long a net is tested whose features took so many."""
        sample = self._sample(self.job.backbones[0])
        again = 1 if sample.mirrored else 2
        return again * seconds * self.dataset.size("test") / sample.images

    @property
    def _room(self) -> float:
        """Seconds that are left, without those of nets that start from nothing."""
        return self.clock.left - self.job.work

    def _probe(self, backbone: Backbone) -> Probe:
        sample = self._sample(backbone)
        dataset = sampled(self.dataset, sample.images, self.job.seed)
        return Probe(
            backbone, dataset, self.trials.images, folder=self.folder, mirrored=sample.mirrored,
            precision=choices(self.job.precision)[0], seed=self.job.seed,
            tell=self.trials.watch.steps(f"features of {backbone.net.name}"),
        )  # fmt: skip

    def _sample(self, backbone: Backbone) -> Sample:
        """Of how many images features are computed: decided for the first net, then read again."""
        file, images = self.folder / "sample.json", self.dataset.size("train", "val")
        if file.exists() and (record := read_json(file)):
            require(record, SAMPLE, file)
            return Sample(record["images"], record["mirrored"])
        room = self._room
        if self.clock.limit is not None:
            precision = choices(self.job.precision)[0]
            each = measured(backbone, self.dataset, self.trials.images, precision)
            room = room / each - self.dataset.size("test")
        sample = affordable(images, room)
        if sample.images < images:
            self.say(f"features of {sample.images:,} of {counted(images, 'image')}, drawn at "
                     "random: those of all would take too much time or memory")  # fmt: skip
        write_text(file, json.dumps(sample._asdict()))
        return sample

    def _fine_tune(self, best: Outcome) -> None:
        """Gradient descent from the best probe, if there is time for it, and a gain in it."""
        with first_then_others():
            approach, folds = self._decided(best)
        if approach is None:
            return
        # A run that goes on may have other probes than when this was decided.
        start = (approach.backbone, approach.weights)
        probe = next(self._probe(backbone) for backbone in self.job.backbones
                     if (backbone.net, backbone.weights) == start)  # fmt: skip
        self.trials.restart()
        if folds > 1:
            checked = replace(approach, name=f"{approach.name}-checked")
            self.trials.train(checked, probe.begin, folds=folds, ahead=approach.epochs)
            if self.trials.cut:
                return
            outcome = next(o for o in self.trials.outcomes if o.name == checked.name)
            accuracy = f"{100 * outcome.last['val_accuracy']:.1f}% on images left out in turn"
            if outcome.diverged or not self.trials.beats(outcome, best, "folds_accuracy"):
                self.say(f"fine-tuning: {accuracy}, no better than the linear model, which stays")
                return
            self.say(f"fine-tuning: {accuracy}, better than the linear model; once more with "
                     "all training images")  # fmt: skip
        self.trials.train(approach, probe.begin)

    def _decided(self, best: Outcome) -> tuple[Approach | None, int]:
        """How to fine-tune, and in how many folds it is checked: decided once, then read again;
        None where it is not worth the time.
        """
        file = self.folder / "fine-tune.json"
        if file.exists():
            record = read_json(file)
            if record is None:
                return None, 1
            require(record, FINE_TUNE, file)
            return Approach.from_json(record["approach"]), record["folds"]
        images, recipe, method = self.dataset.size("train"), self.job.recipe, self.job.transfer
        # Folds are of all images, and begin with linear models on their features.
        whole = self._sample(self.job.backbones[0]).images == self.dataset.size("train", "val")
        folds = self.job.folds if method == "auto" and whole else 1
        if method == "auto":
            method = "stages" if images < FEW else "full"
        assert best.approach.backbone is not None
        net = best.approach.backbone.but(classes=len(self.dataset.classes))
        name, net = f"{net.name}-{method}", boosted(net) if method == "boosted" else net
        precision, seconds = self._pace(net)
        epochs = self.job.epochs
        if epochs is None:
            affordable = SHARE * self.clock.left / seconds
            pooled = images + self.dataset.size("val")
            work = 1 + (folds - 1) * pooled / images  # each fold learns from all but its images
            folds = folds if affordable >= ENOUGH * work else 1
            epochs = min(MOST, int(affordable / (work if folds > 1 else 1)))
            if epochs < LEAST and self.job.transfer != "auto":
                epochs = LEAST
        approach = None
        if epochs >= (LEAST if self.job.epochs is None else 1):
            approach = replace(best.approach, name=name, method=method, net=net,
                               layer=LATE, recipe=recipe, epochs=epochs,
                               precision=precision)  # fmt: skip
        else:
            rest = (f"do not fit into the {self.clock.left:.0f} that are left"
                    if self.clock.left >= 1 else "do not fit, as the time is up")  # fmt: skip
            self.say(f"fine-tuning is left out: {LEAST} epochs of {seconds:.0f} seconds {rest}")
        record = {"approach": approach.to_json(), "folds": folds} if approach else None
        write_text(file, json.dumps(record))
        return approach, folds

    def _pace(self, net: Net) -> tuple[str, float]:
        """The precision to train in, and the seconds of an epoch."""
        precisions = choices(self.job.precision)
        if self.job.epochs is not None:  # nothing is measured, so that numbers are the same again
            return precisions[0], 0.0
        steps = self.job.recipe.steps(self.dataset.size("train"))
        seconds = {name: steps * step_seconds(net, self.job.recipe, name) for name in precisions}
        chosen = faster(seconds)
        return chosen, seconds[chosen]
