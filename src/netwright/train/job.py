"""What a run is going to do, settled before it begins: nets, recipe, schedule."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from hashlib import sha256
from typing import Any

from netwright.core.net import Net
from netwright.core.plan import Plan
from netwright.core.shape import show
from netwright.data.dataset import Dataset
from netwright.errors import CodecError, RunError
from netwright.nets.catalogue import from_json
from netwright.space.budget import Budget
from netwright.space.families import FAMILIES
from netwright.speed.training import Speed, speeds
from netwright.train.halving import Rung, epochs_within, rungs, work
from netwright.train.propose import Proposal, propose
from netwright.train.recipe import Recipe

__all__ = ["BUDGET", "Job", "Settings", "Trial", "make_job"]

BUDGET = "params<=1M, macs<=50M, memory<=20MB"
RESERVE = 0.25
"""Share of the time that the schedule leaves free."""
LEAST, ENOUGH, MOST = 12, 1500, 40
"""Epochs a net should have at least, steps that are enough, and epochs that are as well.

Nets are chosen so large that what they need takes half of the time; the other half goes to
more epochs where there are fewer than `MOST`, and is spared where there are not."""
NAME = re.compile(r"[\w.+-]{1,200}")
"""What a net of a job may be called: checkpoints are."""
FASTER = 1.25
"""bf16 has to be faster by this factor to be worth its rounding."""


@dataclass(frozen=True)
class Settings:
    """What the user asked for.

    `minutes` bounds the whole run; with `epochs` the schedule is fixed and time not asked
    for. `size` is the side of the images, None to choose one.
    """

    data: str
    budget: str = BUDGET
    minutes: float = 10.0
    epochs: int | None = None
    seed: int = 0
    size: int | None = None
    flip: bool = False

    def __post_init__(self) -> None:
        Budget.parse(self.budget)
        if not 0 < self.minutes < float("inf"):
            raise RunError(f"minutes is {self.minutes}, wanted a number above 0")
        if self.epochs is not None and self.epochs < 1:
            raise RunError(f"epochs is {self.epochs}, wanted at least 1")
        if not 0 <= self.seed < 2**32:
            raise RunError(f"seed is {self.seed}, wanted 0 to {2**32 - 1}")
        if self.size is not None and not 8 <= self.size <= 1024:
            raise RunError(f"size is {self.size}, wanted 8 to 1024 pixels")

    def differing(self, other: dict[str, Any]) -> str:
        """The name of a field that `other` gives another value, if any."""
        own = asdict(self)
        return next((name for name, value in other.items() if own[name] != value), "")


@dataclass(frozen=True)
class Trial:
    """One net in one rung."""

    rung: int
    candidate: int
    net: Net
    epochs: int
    epoch_cost: float

    @property
    def name(self) -> str:
        """Also the name of its checkpoint."""
        return f"rung{self.rung + 1}-{self.net.name}"


@dataclass(frozen=True)
class Job:
    """Everything that the numbers of a run follow from, beside the images.

    `costs` are seconds an epoch of each net by the machine's measured speed, or, where the
    epochs are fixed, its MACs.
    """

    nets: tuple[Net, ...]
    costs: tuple[float, ...]
    epochs: int
    recipe: Recipe
    precision: str
    seed: int

    @property
    def rungs(self) -> list[Rung]:
        """The schedule."""
        return rungs(len(self.nets), self.epochs)

    @property
    def work(self) -> float:
        """Cost of everything, in the unit of `costs`."""
        return work(self.costs, self.epochs)

    def trial(self, rung: int, candidate: int) -> Trial:
        """Net `candidate` in that rung."""
        epochs = self.rungs[rung].epochs
        return Trial(rung, candidate, self.nets[candidate], epochs, self.costs[candidate])

    def belongs(self, fingerprint: str, trial: Trial) -> str:
        """What a checkpoint must carry to be of this trial on these images."""
        words = (
            fingerprint,
            trial.net.hash,
            trial.name,
            trial.epochs,
            self.recipe,
            self.precision,
            self.seed,
        )
        return sha256(repr(words).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types."""
        return {
            "nets": [net.to_json() for net in self.nets],
            "costs": list(self.costs),
            "epochs": self.epochs,
            "rungs": [asdict(rung) for rung in self.rungs],
            "recipe": asdict(self.recipe),
            "precision": self.precision,
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Job:
        """The inverse of `to_json`."""
        known = {f.name for f in fields(Recipe)}
        try:
            nets = tuple(from_json(text) for text in given["nets"])
        except CodecError as error:
            raise RunError(f"run.json: a net of its job cannot be read: {error}") from None
        names = [net.name for net in nets]
        if len({*names}) < len(names) or not all(map(NAME.fullmatch, names)):
            raise RunError(f"run.json: its nets are called {repr(names)[:120]}, which cannot be "
                           "names of files; begin a new run")  # fmt: skip
        return cls(
            nets=nets,
            costs=tuple(given["costs"]),
            epochs=given["epochs"],
            recipe=Recipe(**{k: v for k, v in given["recipe"].items() if k in known}),
            precision=given["precision"],
            seed=given["seed"],
        )

    def check(self, dataset: Dataset) -> None:
        """Raises `RunError` where a net is not for these images."""
        classes = len(dataset.classes)
        for net in self.nets:
            output = net.plan().output
            if (net.input, output) != (dataset.shape, (classes,)):
                raise RunError(f"run.json: {net.name} takes {show(net.input)} and gives "
                               f"{show(output)}, the images are {show(dataset.shape)} of "
                               f"{classes} classes; begin a new run")  # fmt: skip


def make_job(settings: Settings, dataset: Dataset) -> tuple[Job, Proposal]:
    """Proposes nets for these images and fits their training into the time."""
    budget = Budget.parse(settings.budget)
    images = len(dataset.splits["train"])
    recipe = Recipe.suited(images, dataset.preprocessing.size, flip=settings.flip)
    if settings.epochs is not None:
        proposal = _proposed(dataset, budget, lambda _: True)
        costs = [float(candidate.plan.macs) for candidate in proposal.kept]
        return _job(proposal, costs, settings.epochs, recipe, "fp32", settings.seed)
    known = cache(speeds)  # asked for only when some net meets the budget
    usable = 60 * settings.minutes * (1 - RESERVE)
    steps = recipe.steps(images)
    dearest = usable / 2 / work([1.0] * len(FAMILIES), min(MOST, max(LEAST, ENOUGH // steps)))

    def seconds(plan: Plan, speed: Speed) -> float:
        return steps * speed.step(plan, recipe.batch)

    def affordable(plan: Plan) -> bool:
        return min(seconds(plan, speed) for speed in known().values()) <= dearest

    proposal = _proposed(dataset, budget, affordable)
    plans = [candidate.plan for candidate in proposal.kept]
    spent = {name: [seconds(plan, speed) for plan in plans] for name, speed in known().items()}
    precision = "bf16" if sum(spent["fp32"]) > FASTER * sum(spent["bf16"]) else "fp32"
    costs = spent[precision]
    epochs = epochs_within(costs, usable, most=MOST)
    return _job(proposal, costs, epochs, recipe, precision, settings.seed)


def _proposed(dataset: Dataset, budget: Budget, affordable: Callable[[Plan], bool]) -> Proposal:
    return propose(dataset.shape, len(dataset.classes), budget, affordable=affordable)


def _job(proposal: Proposal, costs: Sequence[float], epochs: int, recipe: Recipe,
         precision: str, seed: int) -> tuple[Job, Proposal]:  # fmt: skip
    nets = tuple(candidate.net for candidate in proposal.kept)
    return Job(nets, tuple(costs), epochs, recipe, precision, seed), proposal
