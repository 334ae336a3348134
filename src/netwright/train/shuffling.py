"""A run's net, trained on labels that say nothing of its images.

Nets learn such labels by heart (Zhang et al. 2017, arXiv:1611.03530); a map that explains such a
net as it explains the run's shows the images, not what was learnt of them (Adebayo et al. 2018,
arXiv:1810.03292).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from netwright.data.dataset import Dataset
from netwright.errors import RunError
from netwright.look.pace import Pace, Tell
from netwright.train.approach import Approach
from netwright.train.begin import part_of, random_model
from netwright.train.job import Job
from netwright.train.outcome import Clock
from netwright.train.record import JOB, require
from netwright.train.run import Run
from netwright.train.training import Training

__all__ = ["Shuffled", "fit_shuffled"]

LEARNT = 0.98
"""Share of the labels from which on they count as learnt by heart."""
EPOCHS, MOST = 30, 300
"""Epochs that are planned where only the time is given, and the most that there may be."""


class Shuffled(NamedTuple):
    """A net that learnt shuffled labels, in evaluation mode: the `accuracy` on them, after the
    last whole one of its `epochs`.
    """

    model: nn.Module
    accuracy: float
    epochs: int


def fit_shuffled(
    run: Run, data: Any = None, *, seconds: float | None = None, epochs: int | None = None,
    seed: int = 0, tell: Tell | None = None,
) -> Shuffled:  # fmt: skip
    """The net of a finished run, trained from random weights on the run's training images, whose
    labels are permuted: by the recipe of the run, but without augmentation and until the labels
    are learnt.

    Arguments:
        run: whose net, images and recipe; that of fine-tuning where its weights were.
        data: its images, where they are not where they were.
        seconds, epochs: the most that it takes; a Ctrl-C ends it after an epoch, too.
        seed: of the permutation and of the weights.
        tell: hears the share that is done.
    """
    if seconds is None and epochs is None:
        raise RunError("how long is the net to learn shuffled labels? Wanted seconds or epochs")
    dataset = shuffled(run.dataset(data), seed)
    approach = _approach(run, epochs or EPOCHS, seed)
    images = part_of(dataset, "train", run.preprocessing)
    with TemporaryDirectory() as folder, torch.random.fork_rng():
        training = Training(
            approach, lambda: random_model(approach, images), images, images,
            folder=Path(folder), fingerprint=dataset.fingerprint, clock=Clock(seconds),
            most=0 if epochs else MOST,
        )  # fmt: skip
        with Pace(approach.epochs, tell) as pace:
            for row in pace.over(training.run()):
                pace.total = training.learner.epochs
                if row["val_accuracy"] >= LEARNT:
                    break
    last = training.history[-1]
    return Shuffled(training.learner.best.eval(), last["val_accuracy"], last["epoch"])


def shuffled(dataset: Dataset, seed: int) -> Dataset:
    """The same images, with the labels of those to train on permuted."""
    labels, train = dataset.labels.copy(), dataset.splits["train"]
    labels[train] = np.random.default_rng(seed).permutation(labels[train])
    return replace(dataset, labels=labels)


def _approach(run: Run, epochs: int, seed: int) -> Approach:
    """How the net of the run was trained, from nothing and with every image as it is."""
    require(run.record, JOB, run.path / "run.json")
    job = Job.from_json(run.record["job"])
    own = next((one for one in job.approaches if one.net.hash == run.net.hash), None)
    recipe = own.recipe if own else job.recipe
    return Approach(
        "shuffled-labels", "scratch", run.net, run.preprocessing,
        recipe.but(operations=(), patience=0), epochs,
        precision=own.precision if own else "fp32", seed=seed,
    )  # fmt: skip
