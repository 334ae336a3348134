"""Nets that start from nothing: which, by which recipe, and how long in the time there is."""

from __future__ import annotations

from functools import cache

from netwright.core.net import Net
from netwright.core.operation import Kind
from netwright.core.plan import Plan
from netwright.core.shape import show
from netwright.data.augment import Flip, Mirroring
from netwright.data.dataset import Dataset
from netwright.data.image import Preprocessing
from netwright.errors import BudgetError, RunError
from netwright.nets import registry
from netwright.space.budget import Budget
from netwright.space.families import FAMILIES
from netwright.speed.training import Speed, choices, faster
from netwright.train.approach import Approach
from netwright.train.backbones import chosen_net
from netwright.train.folds import enough_folds
from netwright.train.halving import (
    ENOUGH_STEPS,
    MOST_EPOCHS,
    epochs_within,
    most_epochs,
    work,
)
from netwright.train.job import Job
from netwright.train.pace import epoch_steps, pace, usable
from netwright.train.propose import Proposal, propose
from netwright.train.recipe import Recipe, read
from netwright.train.settings import Settings
from netwright.train.speeds import speeds
from netwright.train.waves import check_operations, laid_out, recipe_for_signals
from netwright.units import LocalResponseNorm, SpatialResponseNorm

__all__ = ["QUICK_NETS", "QUICK_SIDES", "UNBOUNDED", "brought", "from_nothing", "recipe_of"]

LEAST_EPOCHS = 12
"""Epochs that a net gets at least, if time allows. Nets are chosen so large that these, or enough
steps of the optimiser, take half of the time."""
QUICK_SIDES, QUICK_IMAGES = range(25, 49), 10_000
"""Where the nets of airbench by the recipe `airbench` learn most in a given time."""
UNBOUNDED = "params<=1M, macs<=50M, memory<=20MB"
"""What nets may cost where the epochs are fixed and no budget is given."""
QUICK_NETS, QUICK_RECIPE = ("airbench94_cifar10", "airbench95_cifar10"), "airbench"
QUICK_EPOCHS = 8
"""The wider of them is taken where the time is enough for so many epochs."""


def from_nothing(
    settings: Settings, dataset: Dataset, why: list[str]
) -> tuple[Job, Proposal | None]:
    """The one net that was asked for, or that is known to be best; else several to compare, and
    all that were planned. `why` is what was decided before.
    """
    preprocessing = dataset.preprocessing(settings.size)
    why += brought(settings, dataset, preprocessing.size, "to fit the time")
    if settings.net:
        return _one_net(settings, dataset, preprocessing, why, chosen_net(settings.net)), None
    if quick := _quick(settings, dataset, preprocessing):
        why.append(f"{quick.name} by the recipe {QUICK_RECIPE} learns most of such images in "
                   "the time")  # fmt: skip
        return _one_net(settings, dataset, preprocessing, why, quick), None
    return _several(settings, dataset, preprocessing, why)


def brought(settings: Settings, dataset: Dataset, size: int, reason: str) -> list[str]:
    """What is told where nets see images smaller or larger than they are."""
    side = dataset.survey.side
    if size == side:
        return []
    what, unit = ("signals", "samples") if dataset.signals else ("images", "pixels")
    how = f"{what} are {'shrunk' if size < side else 'enlarged'} from {side} to {size} {unit}"
    if settings.size is not None:
        more = ", which adds nothing to see" if size > side else ""
        return [f"{how}, as asked for{more}"]
    return [f"{how}, {reason}; --size takes {'more' if size < side else 'fewer'}"]


def recipe_of(settings: Settings, name: str, dataset: Dataset) -> Recipe:
    """The recipe that was asked for, else that of the name; with or without mirror images, where
    that was said. Signals are augmented by operations of theirs.
    """
    recipe = settings.rated(read(settings.recipe or name))
    if dataset.signals:
        return recipe_for_signals(recipe)
    check_operations(recipe)
    if settings.flip is False:
        return _without_flips(recipe)
    flips = any(isinstance(operation, Mirroring) for operation in recipe.operations)
    if settings.flip and not flips:
        return recipe.but(operations=(*recipe.operations, Flip()))
    return recipe


def _without_flips(recipe: Recipe) -> Recipe:
    kept = tuple(op for op in recipe.operations if not isinstance(op, Mirroring))
    return recipe.but(operations=kept)


def _quick(settings: Settings, dataset: Dataset, preprocessing: Preprocessing) -> Net | None:
    """The net that is known to be best by the recipe of its own, where the images are such that
    there is one.
    """
    if settings.recipe or preprocessing.size not in QUICK_SIDES or preprocessing.channels != 3:
        return None
    if dataset.signals or dataset.size("train") < QUICK_IMAGES:
        return None
    nets = [_suited(registry.find(name), preprocessing, len(dataset.classes))
            for name in QUICK_NETS]  # fmt: skip
    if settings.budget:
        budget = Budget.parse(settings.budget)
        nets = [net for net in nets if not budget.broken(net.plan())]
    if settings.epochs is not None or len(nets) < len(QUICK_NETS):
        return nets[0] if nets else None
    narrow, wide = nets
    recipe = recipe_of(settings, QUICK_RECIPE, dataset).suited(dataset.size("train"))
    _, seconds = pace(settings, dataset, recipe, narrow)
    seconds *= wide.plan().macs / narrow.plan().macs  # to measure it as well would take long
    return wide if QUICK_EPOCHS * seconds <= usable(settings) else narrow


def _suited(net: Net, preprocessing: Preprocessing, classes: int) -> Net:
    """A net for these images and classes."""
    return net.but(input=preprocessing.shape).but(classes=classes)


def _one_net(
    settings: Settings, dataset: Dataset, preprocessing: Preprocessing, why: list[str], net: Net
) -> Job:
    """One net from nothing, for as many epochs as the time allows."""
    preprocessing = laid_out(preprocessing, net)
    net = _suited(net, preprocessing, len(dataset.classes))
    output = net.plan().output
    if output != (len(dataset.classes),):
        raise RunError(f"{net.name} gives {show(output)} for {len(dataset.classes)} classes; "
                       "wanted a net that classifies")  # fmt: skip
    broken = Budget.parse(settings.budget).broken(net.plan()) if settings.budget else []
    if broken:
        raise BudgetError(f"{net.name} is over the budget of {broken[0]}; allow more, or leave "
                          "--net out to have one chosen")  # fmt: skip
    quick = net.name in QUICK_NETS and not settings.recipe
    recipe = recipe_of(settings, QUICK_RECIPE if quick else "resnet", dataset)
    recipe = recipe.suited(dataset.size("train"))
    if not settings.recipe and not settings.rate and not _has_norms(net):
        recipe = recipe.but(find=True)
        why.append(f"{net.name} has no normalisation, so no rate suits in advance: a range test "
                   "finds it")  # fmt: skip
    if settings.epochs is not None:
        cost, precision = float(net.plan().macs), choices(settings.precision)[0]
        epochs = settings.epochs
    else:
        precision, cost = pace(settings, dataset, recipe, net)
        most = most_epochs(epoch_steps(dataset, recipe))
        epochs = max(1, min(most, int(usable(settings) / cost)))
    approach = Approach(net.name, "scratch", net, preprocessing, recipe, epochs,
                        precision=precision, seed=settings.seed)  # fmt: skip
    return Job(tuple(why), (), "none", (approach,), (cost,), recipe, settings.epochs, precision,
               settings.seed)  # fmt: skip


def _has_norms(net: Net) -> bool:
    """Whether maps are kept at one scale; what AlexNet's normalisation does not do."""
    local = (LocalResponseNorm, SpatialResponseNorm)
    kinds = (Kind.BATCH_NORM, Kind.NORMALISATION)
    units = [row.unit for row in net.plan().rows]
    return any(unit.kind in kinds and not isinstance(unit, local) for unit in units)


def _several(
    settings: Settings, dataset: Dataset, preprocessing: Preprocessing, why: list[str]
) -> tuple[Job, Proposal]:
    """Nets of several families by successive halving."""
    budget = _budget(settings)
    recipe = recipe_of(settings, "resnet", dataset)
    if settings.flip is None and not settings.recipe:
        # Digits and letters turn into others in a mirror; who knows that images do not, says so.
        recipe = _without_flips(recipe)
    recipe = recipe.suited(dataset.size("train"))
    steps = epoch_steps(dataset, recipe)
    seconds_left, folds = usable(settings), enough_folds(dataset)
    enough = min(MOST_EPOCHS, max(LEAST_EPOCHS, int(ENOUGH_STEPS / steps)))
    dearest = seconds_left / 2 / work([1.0] * len(FAMILIES), enough, folds)
    rates = cache(speeds)  # asked for only when some net meets the budget
    precisions = choices(settings.precision)

    def seconds(plan: Plan, speed: Speed) -> float:
        return steps * speed.step(plan, recipe.batch)

    def affordable(plan: Plan) -> bool:
        if settings.epochs is not None:
            return True
        return min(seconds(plan, rates()[name]) for name in precisions) <= dearest

    proposal = propose(preprocessing.shape, len(dataset.classes), budget, affordable=affordable)
    plans = [candidate.plan for candidate in proposal.kept]
    if settings.epochs is not None:
        costs, epochs = [float(plan.macs) for plan in plans], settings.epochs
        precision = precisions[0]
    else:
        spent = {name: [seconds(plan, rates()[name]) for plan in plans] for name in precisions}
        precision = faster({name: sum(costs) for name, costs in spent.items()})
        costs = spent[precision]
        epochs = epochs_within(costs, seconds_left, most=most_epochs(steps), folds=folds)
    if folds > 1 and len(plans) > 1:
        why.append(f"{dataset.size('val')} images of validation tell little: nets are compared by "
                   f"{folds}-fold cross-validation")  # fmt: skip
    approaches = tuple(
        Approach(candidate.net.name, "scratch", candidate.net, preprocessing, recipe, epochs,
                 precision=precision, seed=settings.seed)
        for candidate in proposal.kept
    )  # fmt: skip
    job = Job(tuple(why), (), "none", approaches, tuple(costs), recipe, settings.epochs, precision,
              settings.seed, folds)  # fmt: skip
    return job, proposal


def _budget(settings: Settings) -> Budget:
    """The bounds that were given; where neither they nor the time bound the nets, small ones."""
    return Budget.parse(settings.budget or (UNBOUNDED if settings.epochs is not None else ""))
