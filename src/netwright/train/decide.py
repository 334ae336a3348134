"""What a run is going to do, decided from its images, settings and time."""

from __future__ import annotations

from dataclasses import replace

from netwright.data.dataset import Dataset
from netwright.errors import BudgetError
from netwright.report.numbers import counted, duration
from netwright.train.backbones import available
from netwright.train.folds import enough_folds
from netwright.train.from_nothing import brought, from_nothing, recipe_of
from netwright.train.job import Job
from netwright.train.pace import pace, usable
from netwright.train.propose import Proposal
from netwright.train.settings import Settings
from netwright.train.tuning import LEAST
from netwright.train.waves import reason_for_signals

__all__ = ["decide"]

FEW = 5000
"""Fewer training images are few to learn from nothing."""
SMALL_SIDE, MANY = 48, 1000
"""Images smaller than this gain little from weights of large photos, where there are so many."""
BESIDE = 1 / 3
"""Share of the time for nets that start from nothing beside linear models on features of trained
ones; of photos these are nearly always better, and gain from features of more of them."""


def decide(settings: Settings, dataset: Dataset) -> tuple[Job, Proposal | None]:
    """Decides between trained weights and nets of their own, and fits training into the time."""
    if dataset.signals:
        return from_nothing(settings, dataset, [reason_for_signals(settings)])
    alone = _better_alone(settings, dataset)
    trained, lacking = ([], alone) if alone else available(settings)
    why = list[str]()
    if trained:
        names = ", ".join(backbone.weights for backbone in trained)
        why.append(f"begins with trained weights ({names}): {_reason(settings, dataset)}")
        why += brought(settings, dataset, min(net.preprocessing.size for net in trained),
                        "as the weights were trained")  # fmt: skip
        why += [f"nobody says what the images of {one.weights} went through; those of ImageNet's "
                "mean and deviation are assumed" for one in trained if one.assumed]  # fmt: skip
        recipe = recipe_of(settings, "fine-tune", dataset).suited(dataset.size("train"))
        job = Job(tuple(why), tuple(trained), settings.transfer, (), (), recipe, settings.epochs,
                  settings.precision, settings.seed, enough_folds(dataset))  # fmt: skip
        return _with_nets_beside(job, settings, dataset)
    return from_nothing(settings, dataset, [lacking])


def _with_nets_beside(
    job: Job, settings: Settings, dataset: Dataset
) -> tuple[Job, Proposal | None]:
    """The job; where many images leave no time for fine-tuning, with nets that start from nothing
    in the time that features of trained nets leave.
    """
    least = _tuning_seconds(job, settings, dataset)
    if least <= usable(settings) / 2:  # features take the other half at most
        return job, None
    shorter = replace(settings, minutes=BESIDE * settings.minutes)
    took = f"{LEAST} epochs of fine-tuning would take {duration(least)}"
    beside = f"{took}, so nets that start from nothing learn beside a linear model"
    try:
        others, proposal = from_nothing(shorter, dataset, [*job.why, beside])
    except BudgetError:  # none is small enough, or quick enough
        return job, None
    why = tuple(dict.fromkeys(others.why))
    return replace(others, why=why, backbones=job.backbones, transfer=job.transfer), proposal


def _tuning_seconds(job: Job, settings: Settings, dataset: Dataset) -> float:
    """Seconds that the least of fine-tuning takes; 0 where nothing else would be tried."""
    asked = settings.transfer != "auto" or settings.weights or settings.net
    if asked or settings.epochs is not None or dataset.size("train") < FEW:
        return 0.0
    net = job.backbones[0].net.but(classes=len(dataset.classes))
    return LEAST * pace(settings, dataset, job.recipe, net)[1]


def _reason(settings: Settings, dataset: Dataset) -> str:
    """Why trained weights are begun with."""
    images = counted(dataset.size("train"), "image")
    if settings.weights or settings.transfer != "auto":
        return "as asked for"
    if dataset.size("train") < FEW:
        return f"{images} are few to learn from nothing"
    return f"what they know need not be learnt again from {images}; --transfer none begins without"


def _better_alone(settings: Settings, dataset: Dataset) -> str:
    """Why nets that start from nothing suit better than trained weights; empty if they do not."""
    if settings.transfer != "auto" or settings.weights:
        return ""
    side, images = dataset.survey.side, dataset.size("train")
    if side < SMALL_SIDE and images >= MANY:
        return (f"{images} images of {side} pixels are enough for a net of their own, and small "
                "for weights of large photos")  # fmt: skip
    return ""
