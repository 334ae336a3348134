"""How long training takes on this machine: measured once, kept, and used to plan.

The speed of the machine (`speed.training`) is fitted to a few short measurements. Because they are
kept (`speed.json` in the user's cache folder), the same request gets the same schedule again,
whatever else the machine does at the time. What was measured beside other work is measured again
the next time, and the least is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from time import perf_counter
from typing import Any

import numpy as np
import torch

from netwright.core.net import Net
from netwright.space.families import small
from netwright.speed.machine import machine, remembered, timed
from netwright.speed.regression import rates
from netwright.speed.training import PRECISIONS, Speed, amounts
from netwright.train.learner import Learner, device
from netwright.train.processes import apart
from netwright.train.recipe import Recipe

__all__ = ["SPEED", "measured", "speeds", "step_seconds"]

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
REPETITIONS = 4
"""Steps of a single net that are measured."""
SPEED, STEPS = "speed", "steps"
"""What the kept measurements are called: of the machine, and of single nets."""


def speeds() -> dict[str, Speed]:
    """The speed of this machine by precision; measured, some seconds long, the first time."""
    key = json.dumps(machine(), sort_keys=True)
    record = remembered(SPEED, key, _measured, _is_kept, _cost)
    return {precision: Speed(**record[precision]) for precision in PRECISIONS}


def _measured() -> dict[str, Any]:
    return {precision: asdict(measured(precision)) for precision in PRECISIONS}


def _is_kept(value: Any) -> bool:
    """Whether a kept value holds a speed for every precision."""
    words = {"unit", "mac", "element"}
    return (isinstance(value, dict) and {*value} == {*PRECISIONS}
            and all(isinstance(own, dict) and {*own} == words
                    and all(isinstance(rate, float) and rate >= 0 for rate in own.values())
                    for own in value.values()))  # fmt: skip


def _cost(value: dict[str, Any]) -> float:
    """Seconds of a step of every probe in every precision."""
    return sum(Speed(**value[precision]).step(net.plan(), batch)
               for precision in PRECISIONS for net, batch in _probes())  # fmt: skip


def measured(precision: str) -> Speed:
    """Times training steps of a few nets and fits the speed to them.

    The nets take turns and the fastest step of each counts: others may be using the machine.
    """
    probes = list(_probes())
    with torch.random.fork_rng(), apart():  # the first of several processes measures for all
        steps = [_stepper(net, batch, precision) for net, batch in probes]
        rounds, began = list[list[float]](), perf_counter()
        while len(rounds) < 2 or (len(rounds) < REPEATS and perf_counter() - began < PATIENCE):
            rounds.append([timed(step) for step in steps])
    done = [amounts(net.plan(), batch) for net, batch in probes]
    return Speed(*rates(done, np.min(rounds, axis=0).tolist()))


def _probes() -> Iterator[tuple[Net, int]]:
    for shape, family, width, depth, stages, batch in PROBES:
        yield small(family, shape, 10, width=width, depth=depth, stages=stages), batch


def step_seconds(net: Net, recipe: Recipe, precision: str) -> float:
    """Seconds of one training step of this net by this recipe, the least of a few; kept too."""

    def measure() -> float:
        with torch.random.fork_rng(), apart():
            step = _stepper(net, recipe.batch, precision, recipe)
            return min(timed(step) for _ in range(REPETITIONS))

    key = json.dumps([machine(), net.hash, recipe.batch, recipe.optimiser, precision],
                     sort_keys=True)  # fmt: skip
    return remembered(STEPS, key, measure, lambda value: isinstance(value, float) and value > 0)


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
