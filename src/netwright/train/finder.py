"""The learning rate that suits a net, by a range test.

The rate grows from step to step until the loss grows too: it falls fastest where the rate is
right (Smith 2015, arXiv:1506.01186, section 3.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import count
from math import isfinite

import numpy as np
import torch
from torch import Tensor

from netwright.train.batches import Images, seed_of
from netwright.train.learner import Learner

__all__ = ["find_rate"]

LOW, HIGH, STEPS = 1e-4, 30.0, 80
"""From which share of the recipe's rate to which, in how many steps."""
KEPT = 0.9
"""What the moving mean of the losses keeps at every step."""
WORSE = 3.0
"""The test is over when the loss is so many times the least."""
MARGIN = 5.0
"""The rate with the least loss is the edge; so many times less is safe for all of the training."""


def find_rate(learner: Learner, images: Images) -> float:
    """The highest rate for a training by the learner's recipe, which is not changed; what is
    random follows from its seed and name.
    """
    recipe = learner.recipe
    probe = Learner(
        deepcopy(learner.model), recipe.but(average="none"), epochs=learner.epochs,
        seed=learner.seed, name=learner.name, precision=learner.precision,
        class_weights=learner.class_weights,
    )  # fmt: skip
    probe.model.train()
    rates = recipe.rate * np.geomspace(LOW, HIGH, STEPS)
    means, mean = list[float](), 0.0
    for step, (rate, (x, labels)) in enumerate(zip(rates, _batches(probe, images), strict=False)):
        torch.manual_seed(seed_of(learner.seed, learner.name, "range test", step, probe.place.rank))
        loss = float(probe.learn(x, labels, float(rate)))
        mean = KEPT * mean + (1 - KEPT) * loss
        means.append(mean / (1 - KEPT ** (step + 1)))
        if not isfinite(loss) or means[-1] > WORSE * min(means):
            break
    finite = [value if isfinite(value) else np.inf for value in means]
    return float(rates[int(np.argmin(finite))]) / MARGIN


def _batches(learner: Learner, images: Images) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without an end, in an order of their own."""
    seed = seed_of(learner.seed, learner.name, "range test")
    for epoch in count():
        yield from images.epoch(learner.recipe, seed, epoch, place=learner.place)
