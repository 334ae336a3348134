"""What a run is going to do, settled before it begins: weights to start from, nets, schedule."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from netwright.core.net import Net
from netwright.core.plan import Plan
from netwright.core.shape import show
from netwright.data.augment import Flip
from netwright.data.dataset import Dataset
from netwright.data.image import Preprocessing
from netwright.errors import (
    BudgetError,
    CodecError,
    DataError,
    RecipeError,
    RunError,
    UnknownName,
)
from netwright.nets import registry
from netwright.nets.catalogue import from_json
from netwright.space.budget import Budget
from netwright.space.families import FAMILIES
from netwright.speed.training import PRECISIONS, Speed, speeds, step_seconds
from netwright.train.approach import Approach
from netwright.train.backbones import Backbone, available, chosen_net
from netwright.train.halving import Rung, epochs_within, rungs, work
from netwright.train.propose import Proposal, propose
from netwright.train.recipe import Recipe, read
from netwright.train.settings import Settings

__all__ = ["Job", "make_job"]

RESERVE = 0.12
"""Share of the time that the schedule leaves free."""
LEAST, ENOUGH, MOST = 12, 1500, 60
"""Epochs that a net gets at least, if time allows; steps of the optimiser from which more epochs
bring little; and the most epochs. Nets are chosen so large that as much training as that takes
half of the time."""
NAME = re.compile(r"[\w.+:=,-]{1,200}")
"""What a net of a job may be called: checkpoints are."""
FASTER = 1.25
"""bf16 has to be faster by this factor to be worth its rounding."""
SMALL_SIDE, MANY = 48, 1000
"""Images smaller than this gain little from weights of large photos, where there are so many."""
QUICK_SIDES, QUICK_IMAGES = range(24, 49), 10_000
"""Where `airbench94_cifar10` by the recipe `fast-small` learns most in a given time."""
UNBOUNDED = "params<=1M, macs<=50M, memory<=20MB"
"""What nets may cost where the epochs are fixed and no budget is given."""
QUICK_NET, QUICK_RECIPE = "airbench94_cifar10", "fast-small"


@dataclass(frozen=True)
class Job:
    """Everything that the numbers of a run follow from, beside the images.

    Arguments:
        why: what was chosen, and why, in sentences.
        backbones: trained nets to begin with.
        transfer: how they are used: `auto`, or one way.
        approaches: nets that start from nothing, at the epochs of the last rung.
        costs: seconds an epoch of each, or its MACs where the epochs are fixed.
        recipe: what fine-tuning follows.
        epochs: of the best net; None to let the time decide.
        precision: `fp32` or `bf16`.
        seed: of everything random.
    """

    why: tuple[str, ...]
    backbones: tuple[Backbone, ...]
    transfer: str
    approaches: tuple[Approach, ...]
    costs: tuple[float, ...]
    recipe: Recipe
    epochs: int | None
    precision: str
    seed: int

    @property
    def rungs(self) -> list[Rung]:
        """The schedule of the nets that start from nothing."""
        if not self.approaches:
            return []
        return rungs(len(self.approaches), self.approaches[0].epochs)

    @property
    def work(self) -> float:
        """Cost of all nets that start from nothing, in the unit of `costs`."""
        return work(self.costs, self.approaches[0].epochs) if self.approaches else 0.0

    def trial(self, rung: int, candidate: int) -> Approach:
        """Net `candidate` in that rung."""
        approach = self.approaches[candidate]
        name = f"rung{rung + 1}-{approach.net.name}" if len(self.rungs) > 1 else approach.net.name
        return replace(approach, name=name, epochs=self.rungs[rung].epochs)

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types."""
        return {
            "why": list(self.why),
            "backbones": [{"net": net.to_json(), "weights": weights,
                           "preprocessing": preprocessing.to_json()}
                          for net, weights, preprocessing in self.backbones],
            "transfer": self.transfer,
            "approaches": [approach.to_json() for approach in self.approaches],
            "costs": list(self.costs),
            "rungs": [vars(rung) for rung in self.rungs],
            "recipe": self.recipe.to_json(),
            "epochs": self.epochs,
            "precision": self.precision,
            "seed": self.seed,
        }  # fmt: skip

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Job:
        """The inverse of `to_json`; `RunError` for what is none."""
        try:
            job = cls(
                why=tuple(record["why"]),
                backbones=tuple(
                    Backbone(from_json(row["net"]), row["weights"],
                             Preprocessing.from_json(row["preprocessing"]))
                    for row in record["backbones"]
                ),
                transfer=record["transfer"],
                approaches=tuple(Approach.from_json(row) for row in record["approaches"]),
                costs=tuple(record["costs"]),
                recipe=Recipe.from_json(record["recipe"]),
                epochs=record["epochs"],
                precision=record["precision"],
                seed=record["seed"],
            )  # fmt: skip
        except (KeyError, TypeError, DataError, RecipeError, UnknownName) as error:
            raise RunError(f"run.json has no readable job ({error}); begin a new run") from None
        except CodecError as error:
            raise RunError(f"run.json: a net of its job cannot be read: {error}") from None
        nets = [approach.net.name for approach in job.approaches]
        names = [*nets, *(approach.name for approach in job.approaches),
                 *(backbone.net.name for backbone in job.backbones)]  # fmt: skip
        if len({*nets}) < len(nets) or not all(map(NAME.fullmatch, names)):
            raise RunError(f"run.json: its nets are called {repr(names)[:120]}, which cannot be "
                           "names of files; begin a new run")  # fmt: skip
        return job

    def check(self, dataset: Dataset) -> None:
        """Raises `RunError` where a net is not for these images."""
        classes = len(dataset.classes)
        for approach in self.approaches:
            images = approach.preprocessing
            shape, output = (images.channels, images.size, images.size), approach.net.plan().output
            if (approach.net.input, output) != (shape, (classes,)):
                raise RunError(f"run.json: {approach.net.name} takes {show(approach.net.input)} "
                               f"and gives {show(output)}, the images are {show(shape)} of "
                               f"{classes} classes; begin a new run")  # fmt: skip


def make_job(settings: Settings, dataset: Dataset) -> tuple[Job, Proposal | None]:
    """Decides between trained weights and nets of their own, and fits training into the time."""
    trained, lacking = available(settings, dataset.channels)
    alone = _better_alone(settings, dataset)
    why = list[str]()
    if trained and not alone:
        names = ", ".join(backbone.weights for backbone in trained)
        why.append(f"{dataset.size('train')} images are few to learn from nothing: begins with "
                   f"trained weights ({names})")  # fmt: skip
        recipe = _recipe(settings, "fine-tune").suited(dataset.size("train"))
        precision = "fp32" if settings.precision == "auto" else settings.precision
        return Job(tuple(why), tuple(trained), settings.transfer, (), (), recipe, settings.epochs,
                   precision, settings.seed), None  # fmt: skip
    why.append(alone if trained and alone else lacking or "nets start from nothing")
    return _from_nothing(settings, dataset, why)


def _better_alone(settings: Settings, dataset: Dataset) -> str:
    """Why nets that start from nothing suit better than trained weights; empty if they do not."""
    if settings.transfer == "none":
        return "nets start from nothing, as asked for"
    if settings.transfer != "auto" or settings.weights:
        return ""
    side, images = dataset.survey.side, dataset.size("train")
    if side < SMALL_SIDE and images >= MANY:
        return (f"{images} images of {side} pixels are enough for a net of their own, and small "
                "for weights of large photos")  # fmt: skip
    return ""


def _recipe(settings: Settings, name: str) -> Recipe:
    """The recipe that was asked for, else that of the name; with or without mirror images, where
    that was said.
    """
    recipe = read(settings.recipe or name)
    if settings.flip is False:
        return _without_flips(recipe)
    flips = any(isinstance(operation, Flip) for operation in recipe.operations)
    if settings.flip and not flips:
        return recipe.but(operations=(*recipe.operations, Flip()))
    return recipe


def _without_flips(recipe: Recipe) -> Recipe:
    kept = tuple(op for op in recipe.operations if not isinstance(op, Flip))
    return recipe.but(operations=kept)


def _from_nothing(
    settings: Settings, dataset: Dataset, why: list[str]
) -> tuple[Job, Proposal | None]:
    preprocessing = dataset.preprocessing(settings.size)
    if settings.size is None and preprocessing.size < dataset.survey.side:
        why.append(f"images are shrunk from {dataset.survey.side} to {preprocessing.size} pixels "
                   "to fit the time; --size takes more")  # fmt: skip
    if settings.net:
        return _one_net(settings, dataset, preprocessing, why, chosen_net(settings.net)), None
    if _is_quick(settings, dataset, preprocessing):
        why.append(f"{QUICK_NET} by the recipe {QUICK_RECIPE} learns most of such images in "
                   "little time")  # fmt: skip
        return _one_net(settings, dataset, preprocessing, why, registry.find(QUICK_NET)), None
    return _several(settings, dataset, preprocessing, why)


def _is_quick(settings: Settings, dataset: Dataset, preprocessing: Preprocessing) -> bool:
    """Whether the images are such that one net and recipe are known to be best."""
    if settings.recipe or preprocessing.size not in QUICK_SIDES or preprocessing.channels != 3:
        return False
    net = _suited(registry.find(QUICK_NET), preprocessing, len(dataset.classes))
    fits = not settings.budget or not Budget.parse(settings.budget).broken(net.plan())
    return fits and dataset.size("train") >= QUICK_IMAGES


def _suited(net: Net, preprocessing: Preprocessing, classes: int) -> Net:
    """A net for these images and classes."""
    shape = (preprocessing.channels, preprocessing.size, preprocessing.size)
    return net.but(input=shape).but(classes=classes)


def _one_net(
    settings: Settings, dataset: Dataset, preprocessing: Preprocessing, why: list[str], net: Net
) -> Job:
    """One net from nothing, for as many epochs as the time allows."""
    net = _suited(net, preprocessing, len(dataset.classes))
    broken = Budget.parse(settings.budget).broken(net.plan()) if settings.budget else []
    if broken:
        raise BudgetError(f"{net.name} is over the budget of {broken[0]}; allow more, or leave "
                          "--net out to have one chosen")  # fmt: skip
    images = dataset.size("train")
    quick = net.name == QUICK_NET and not settings.recipe
    recipe = _recipe(settings, QUICK_RECIPE if quick else "resnet").suited(images)
    steps = recipe.steps(images)
    if settings.epochs is not None:
        cost, precision, epochs = float(net.plan().macs), settings.precision, settings.epochs
        precision = "fp32" if precision == "auto" else precision
    else:
        choices = PRECISIONS if settings.precision == "auto" else (settings.precision,)
        seconds = {name: steps * step_seconds(net, recipe, name) for name in choices}
        precision = _faster(seconds)
        cost = seconds[precision]
        epochs = max(1, min(MOST, int(_usable(settings) / cost)))
    approach = Approach(net.name, "scratch", net, preprocessing, recipe, epochs,
                        precision=precision, seed=settings.seed)  # fmt: skip
    return Job(tuple(why), (), "none", (approach,), (cost,), recipe, settings.epochs, precision,
               settings.seed)  # fmt: skip


def _several(
    settings: Settings, dataset: Dataset, preprocessing: Preprocessing, why: list[str]
) -> tuple[Job, Proposal]:
    """Nets of several families by successive halving."""
    budget = _budget(settings)
    images = dataset.size("train")
    recipe = _recipe(settings, "resnet")
    if settings.flip is None and not settings.recipe:
        # Digits and letters turn into others in a mirror; who knows that images do not, says so.
        recipe = _without_flips(recipe)
    recipe = recipe.suited(images)
    steps = recipe.steps(images)
    usable = _usable(settings)
    dearest = usable / 2 / work([1.0] * len(FAMILIES), min(MOST, max(LEAST, ENOUGH // steps)))
    rates = cache(speeds)  # asked for only when some net meets the budget
    choices = PRECISIONS if settings.precision == "auto" else (settings.precision,)

    def seconds(plan: Plan, speed: Speed) -> float:
        return steps * speed.step(plan, recipe.batch)

    def affordable(plan: Plan) -> bool:
        if settings.epochs is not None:
            return True
        return min(seconds(plan, rates()[name]) for name in choices) <= dearest

    shape = (preprocessing.channels, preprocessing.size, preprocessing.size)
    proposal = propose(shape, len(dataset.classes), budget, affordable=affordable)
    plans = [candidate.plan for candidate in proposal.kept]
    if settings.epochs is not None:
        costs, epochs = [float(plan.macs) for plan in plans], settings.epochs
        precision = "fp32" if settings.precision == "auto" else settings.precision
    else:
        spent = {name: [seconds(plan, rates()[name]) for plan in plans] for name in choices}
        precision = _faster({name: sum(costs) for name, costs in spent.items()})
        costs = spent[precision]
        epochs = epochs_within(costs, usable, most=MOST)
    approaches = tuple(
        Approach(candidate.net.name, "scratch", candidate.net, preprocessing, recipe, epochs,
                 precision=precision, seed=settings.seed)
        for candidate in proposal.kept
    )  # fmt: skip
    job = Job(tuple(why), (), "none", approaches, tuple(costs), recipe, settings.epochs, precision,
              settings.seed)  # fmt: skip
    return job, proposal


def _usable(settings: Settings) -> float:
    """Seconds that training may take."""
    return 60 * settings.minutes * (1 - RESERVE)


def _faster(seconds: dict[str, float]) -> str:
    """bf16 where it pays, else fp32."""
    if len(seconds) == 1:
        return next(iter(seconds))
    return "bf16" if seconds["fp32"] > FASTER * seconds["bf16"] else "fp32"


def _budget(settings: Settings) -> Budget:
    """The bounds that were given; where neither they nor the time bound the nets, small ones."""
    return Budget.parse(settings.budget or (UNBOUNDED if settings.epochs is not None else ""))
