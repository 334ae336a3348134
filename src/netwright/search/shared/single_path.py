"""Searches whose candidates share the weights of one supernet: ENAS and one-shot."""

from __future__ import annotations

import math
import random as rng
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netwright.core.net import Net
from netwright.search.policy import Policy
from netwright.search.shared.correlation import tau
from netwright.search.shared.images import (
    RECIPE,
    Progress,
    Shared,
    ending,
    epochs_within,
    evaluated,
    need_counts,
    some,
)
from netwright.search.shared.saved import Part, Saved
from netwright.search.shared.supernet import Supernet
from netwright.space.search_space import Space
from netwright.train.batches import Images
from netwright.train.learner import Learner
from netwright.train.recipe import Recipe

__all__ = ["Ranking", "enas", "one_shot"]


def enas(
    space: Space,
    train: Images,
    val: Images,
    *,
    epochs: int = 150,
    recipe: Recipe = RECIPE,
    hidden: int = 64,
    rate: float = 3.5e-3,
    entropy: float = 1e-4,
    decay: float = 0.99,
    asks: int = 300,
    batch: int = 10,
    candidates: int = 10,
    seed: int = 0,
    seconds: float = math.inf,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> Shared:
    """Searches a space of cells with an LSTM that is rewarded for the accuracy of what it proposes
    at shared weights (Pham et al. 2018, arXiv:1802.03268).

    In turn the weights learn for an epoch, every batch at a net that the LSTM draws, and the LSTM
    learns from the accuracy of its nets on batches of `val`. In the end the best of some draws on
    all of `val` is chosen. No operation is preferred from the start, where the authors' code adds
    to the logits of separable convolutions.

    space: such as `nw.space("enas", depth=8, width=20)`
    train, val: images that have none in common; see `halves`
    epochs: of the weights
    recipe: of the weights
    hidden, rate, entropy, decay: units of the LSTM, its learning rate, what entropy is worth, what
        the moving mean of rewards keeps
    asks, batch: nets that the LSTM learns from between two epochs, and how many a step
    candidates: draws that are compared in the end
    seed: of weights, draws and batches
    seconds: time for training; where the epochs would take longer there are fewer
    checkpoint: the file it is kept in after every epoch, and goes on from where it is there
    progress: called with every row of the history
    """
    need_counts(epochs=epochs, asks=asks, batch=batch, candidates=candidates)
    supernet = Supernet(space, seed=seed)
    learner = Learner(supernet.model, recipe, epochs=epochs, seed=seed, name="supernet")
    policy = Policy(tuple([len(digit.options) for digit in space.digits]), hidden, rate)
    random = rng.Random(f"{seed}-enas")  # noqa: S311 no secret

    def draw() -> str:
        return policy.code(space, random)

    saved = Saved(checkpoint, learner=(learner.state, learner.restore), random=_state(random),
                  policy=(policy.state, policy.restore))  # fmt: skip
    for epoch in epochs_within(seconds, learner, epochs, len(saved.history)):
        loss = _trained(learner, supernet, train, epoch, draw)
        rewards = list[float]()
        while len(rewards) < asks:
            codes = [draw() for _ in range(min(batch, asks - len(rewards)))]
            scores = [_reward(supernet, code, val, recipe.batch, random) for code in codes]
            choices = [space.choices(code) for code in codes]
            policy.learn([*zip(choices, scores, strict=True)], 1, 0.0, entropy, decay)
            rewards += scores
        mean = sum(rewards) / len(rewards)
        saved.add({"epoch": epoch + 1, "train_loss": loss, "val_accuracy": mean})
        if progress:
            progress(saved.history[-1])
    codes = sorted({draw() for _ in range(candidates)})
    return Shared(space, ranked(supernet, codes, val), saved.history, ending(learner, epochs))


@dataclass(frozen=True)
class Ranking(Shared):
    """What a one-shot search came to, and how much its ranking is worth.

    alone: score of each when trained alone, where that was asked for
    tau: Kendall's rank correlation of the two; None where it was not
    """

    alone: dict[str, float] | None = None
    tau: float | None = None


def one_shot(
    space: Space,
    train: Images,
    val: Images,
    *,
    epochs: int = 50,
    recipe: Recipe = RECIPE,
    candidates: int = 100,
    evaluator: Callable[[Net], float] | None = None,
    checked: int = 10,
    seed: int = 0,
    seconds: float = math.inf,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> Ranking:
    """Trains a supernet, every batch at a net at random, ranks candidates by their accuracy at its
    weights, and says how much that ranking is worth (Bender et al. 2018; Guo et al. 2019,
    arXiv:1904.00420; on the correlation Yu et al. 2019, arXiv:1902.08142).

    space: such as `nw.space("darts", depth=8, width=16)`
    train, val: images that have none in common; see `halves`
    epochs: of the supernet
    recipe: of its weights
    candidates: nets at random that are ranked
    evaluator: the score of a net trained alone; `checked` candidates, evenly from the best to the
        worst, are given to it; of two or more the rank correlation is told
    seed: of weights, draws and batches
    seconds: time for training; where the epochs would take longer there are fewer
    checkpoint: the file it is kept in after every epoch, and goes on from where it is there
    progress: called with every row of the history
    """
    need_counts(epochs=epochs, candidates=candidates, checked=checked)
    supernet = Supernet(space, seed=seed)
    learner = Learner(supernet.model, recipe, epochs=epochs, seed=seed, name="supernet")
    random = rng.Random(f"{seed}-one-shot")  # noqa: S311 no secret
    saved = Saved(checkpoint, learner=(learner.state, learner.restore), random=_state(random))
    for epoch in epochs_within(seconds, learner, epochs, len(saved.history)):
        loss = _trained(learner, supernet, train, epoch, lambda: space.sample(random))
        saved.add({"epoch": epoch + 1, "train_loss": loss})
        if progress:
            progress(saved.history[-1])
    codes = sorted({space.canonical(space.sample(random)) for _ in range(candidates)})
    shared = ranked(supernet, codes, val)
    alone: dict[str, float] | None = None
    if evaluator is not None:
        every = max(1, len(shared) // max(checked, 2))
        alone = {code: evaluator(space.net(code)) for code in [*shared][::every][:checked]}
    value = None
    if alone and len(alone) > 1:
        value = tau([shared[code] for code in alone], [*alone.values()])
    return Ranking(space, shared, saved.history, ending(learner, epochs), alone, value)


def ranked(supernet: Supernet, codes: Sequence[str], val: Images) -> dict[str, float]:
    """Accuracy at shared weights by code, the best first."""
    scores = dict[str, float]()
    for code in codes:
        supernet.choose(code)
        scores[code] = evaluated(supernet.model, val)
    return dict(sorted(scores.items(), key=lambda pair: (-pair[1], pair[0])))


def _trained(
    learner: Learner, supernet: Supernet, train: Images, epoch: int, draw: Callable[[], str]
) -> float:
    """An epoch of the shared weights, every batch at a net of its own; the mean loss."""
    recipe, losses = learner.recipe, list[float]()
    steps = recipe.steps(len(train))
    learner.model.train()
    for step, batch in enumerate(train.epoch(recipe, learner.seed, epoch)):
        supernet.choose(draw())
        rate = recipe.rate_at(epoch * steps + step, learner.epochs * steps)
        losses.append(float(learner.learn(*batch, rate)))
    return sum(losses) / len(losses)


def _state(random: rng.Random) -> Part:
    """The state of a generator, as a checkpoint can hold it."""

    def restore(state: Any) -> None:
        version, words, gauss = state
        random.setstate((version, tuple(words), gauss))

    return random.getstate, restore


def _reward(supernet: Supernet, code: str, val: Images, batch: int, random: rng.Random) -> float:
    """Accuracy at shared weights on a batch of images at random."""
    supernet.choose(code)
    return evaluated(supernet.model, some(val, batch, random.getrandbits(31)))
