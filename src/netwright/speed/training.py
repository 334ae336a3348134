"""How long training takes on this machine: measured once, kept, and used to plan.

A step of a net is taken to need a time for every unit, every multiply-add and every element
that units put out; the three are fitted to a few short measurements. Because they are kept
(`speed.json` in the user's cache folder), the same request gets the same schedule again,
whatever else the machine does at the time. What was measured beside other work is measured again
the next time, and the least is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LinearRegression

from netwright.core.net import Net
from netwright.core.plan import Plan
from netwright.space.families import small
from netwright.speed.machine import machine, remembered
from netwright.train.learner import Learner, device
from netwright.train.processes import apart
from netwright.train.recipe import Recipe

__all__ = ["PRECISIONS", "Speed", "faster", "machine", "speeds", "step_seconds"]

PRECISIONS = ("fp32", "bf16")
PROBES = (
    ((1, 8, 8), "residual", 8, 2, 2, 16),
    ((3, 16, 16), "plain", 48, 2, 2, 64),
    ((3, 32, 32), "mobile", 16, 1, 3, 32),
    ((3, 32, 32), "residual", 16, 2, 3, 32),
    ((3, 32, 32), "plain", 64, 1, 3, 32),
    ((3, 16, 16), "dense", 16, 2, 2, 64),
)
"""(input, family, width, depth, stages, batch) of the nets that are measured."""
REPEATS, PATIENCE = 10, 4.0
FASTER = 1.25
"""bf16 has to be faster by this factor to be worth its rounding."""
REPETITIONS = 4
"""Steps of a single net that are measured."""
SPEED, STEPS = "speed", "steps"
"""What the kept measurements are called: of the machine, and of single nets."""


@dataclass(frozen=True)
class Speed:
    """Seconds of training for every unit, multiply-add and output element."""

    unit: float
    mac: float
    element: float

    def step(self, plan: Plan, batch: int) -> float:
        """Seconds of one training step."""
        return float(np.dot(_amounts(plan, batch), (self.unit, self.mac, self.element)))


def _amounts(plan: Plan, batch: int) -> tuple[float, float, float]:
    return len(plan), batch * plan.macs, batch * sum(row.elements for row in plan)


def speeds() -> dict[str, Speed]:
    """The speed of this machine by precision; measured, some seconds long, the first time."""
    key = json.dumps(machine(), sort_keys=True)
    record = remembered(SPEED, key, _measured, _has_precisions, _cost)
    return {precision: Speed(**record[precision]) for precision in PRECISIONS}


def _measured() -> dict[str, Any]:
    return {precision: asdict(measured(precision)) for precision in PRECISIONS}


def _has_precisions(value: Any) -> bool:
    return isinstance(value, dict) and {*value} == {*PRECISIONS}


def _cost(value: dict[str, Any]) -> float:
    """Seconds of a step of every probe in every precision."""
    return sum(Speed(**value[precision]).step(net.plan(), batch)
               for precision in PRECISIONS for net, batch in _probes())  # fmt: skip


def measured(precision: str) -> Speed:
    """Times training steps of a few nets and fits the three coefficients to them.

    Every measurement counts by its relative error, so that small nets matter as much. The
    nets take turns and the fastest step of each counts: others may be using the machine.
    """
    probes = list(_probes())
    with torch.random.fork_rng(), apart():  # the first of several processes measures for all
        steps = [_stepper(net, batch, precision) for net, batch in probes]
        rounds, began = list[list[float]](), perf_counter()
        while len(rounds) < 2 or (len(rounds) < REPEATS and perf_counter() - began < PATIENCE):
            rounds.append([_seconds(step) for step in steps])
        seconds = np.min(rounds, axis=0)
    rows = [np.divide(_amounts(net.plan(), batch), took)
            for (net, batch), took in zip(probes, seconds, strict=True)]  # fmt: skip
    scale = np.max(rows, axis=0)
    fit = LinearRegression(positive=True, fit_intercept=False)
    fit.fit(np.array(rows) / scale, np.ones(len(rows)))
    return Speed(*(float(f"{c:.3g}") for c in fit.coef_ / scale))


def _probes() -> Iterator[tuple[Net, int]]:
    for shape, family, width, depth, stages, batch in PROBES:
        yield small(family, shape, 10, width=width, depth=depth, stages=stages), batch


def step_seconds(net: Net, recipe: Recipe, precision: str) -> float:
    """Seconds of one training step of this net by this recipe, the least of a few; kept too."""

    def measure() -> float:
        with torch.random.fork_rng(), apart():
            step = _stepper(net, recipe.batch, precision, recipe)
            return min(_seconds(step) for _ in range(REPETITIONS))

    key = json.dumps([machine(), net.hash, recipe.batch, recipe.optimiser, precision],
                     sort_keys=True)  # fmt: skip
    return remembered(STEPS, key, measure, lambda value: isinstance(value, float) and value > 0)


def faster(seconds: Mapping[str, float]) -> str:
    """The precision to train in, by the seconds that each takes: bf16 where it pays."""
    if len(seconds) == 1:
        return next(iter(seconds))
    return "bf16" if seconds["fp32"] > FASTER * seconds["bf16"] else "fp32"


def _stepper(
    net: Net, batch: int, precision: str, recipe: Recipe | None = None
) -> Callable[[], object]:
    """What trains the net by one step."""
    recipe = recipe or Recipe(batch=batch)
    learner = Learner(net.build(seed=0, device=device()), recipe, epochs=1, precision=precision)
    learner.model.train()
    x = torch.randn(batch, *net.input).to(device(), memory_format=torch.channels_last)
    labels = torch.arange(batch, device=device()) % net.plan().output[0]
    return lambda: float(learner.learn(x, labels, 1e-3))


def _seconds(step: Callable[[], object]) -> float:
    began = perf_counter()
    step()
    return perf_counter() - began
