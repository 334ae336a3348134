"""DARTS: architecture weights that learn by gradient (Liu et al. 2018, arXiv:1806.09055)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from math import inf
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from netwright.errors import SearchError
from netwright.search.shared.images import (
    RECIPE,
    Progress,
    Shared,
    ending,
    epochs_within,
    need_counts,
)
from netwright.search.shared.relaxed import Relaxed, skips_of
from netwright.search.shared.saved import Saved
from netwright.search.shared.supernet import Supernet
from netwright.space.cells import CellSpace
from netwright.space.search_space import Space
from netwright.train.batches import Images
from netwright.train.learner import Learner
from netwright.train.recipe import Recipe

__all__ = ["architecture_gradient", "darts"]

Batch = tuple[Tensor, Tensor]


def darts(
    space: Space,
    train: Images,
    val: Images,
    *,
    second: bool = False,
    epochs: int = 50,
    recipe: Recipe = RECIPE,
    rate: float = 3e-4,
    decay: float = 1e-3,
    skips: int | None = 2,
    candidates: int = 100,
    seed: int = 0,
    seconds: float = inf,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> Shared:
    """Searches a space of cells by gradient: weights learn from `train`, alphas from `val`.

    After a fifth of the epochs, when alphas are no longer chance, the search ends as soon as the
    normal cell has more than `skips` skips, with the last cells that had not: from then on they
    only become more (DARTS+: Liang et al. 2019, arXiv:1909.06035, whose first rule stops at two;
    the collapse is of Zela et al. 2019, arXiv:1909.09656).

    space: such as `nw.space("darts", depth=8, width=16)`
    train, val: images that have none in common; see `halves`
    second: whether alphas learn for weights after their next step (second order), not for those
        they meet
    epochs: how long
    recipe: of the weights
    rate, decay: Adam's of the alphas
    skips: how many the normal cell may have; None for any
    candidates: nets that are ranked: the one it chose, and those next to it
    seed: of weights, alphas and batches
    seconds: time for it; where the epochs would take longer there are fewer
    checkpoint: the file it is kept in after every epoch, and goes on from where it is there
    progress: called with every row of the history
    """
    if not isinstance(space, CellSpace) or not space.apart:
        raise SearchError(
            "DARTS searches cells whose nodes read two different states, as the space darts has; "
            f"{space.name} has not"
        )
    need_counts(epochs=epochs, candidates=candidates)
    relaxed = Relaxed(Supernet(space, mixed=True, seed=seed), seed)
    learner = Learner(relaxed.supernet.model, recipe, epochs=epochs, seed=seed, name="supernet")
    adam = torch.optim.Adam(relaxed.alphas, rate, betas=(0.5, 0.999), weight_decay=decay)
    sound, stopped = list[Tensor](), ""
    saved = Saved(checkpoint, learner=(learner.state, learner.restore),
                  adam=(adam.state_dict, adam.load_state_dict), sound=(lambda: sound, sound.extend),
                  alphas=(lambda: relaxed.alphas, relaxed.take))  # fmt: skip
    for epoch in epochs_within(seconds, learner, epochs, len(saved.history)):
        row = _epoch(relaxed, learner, adam, train, val, epoch, second)
        if skips is None or row["skips"] <= skips:
            sound[:] = [alphas.detach().clone() for alphas in relaxed.alphas]
        elif epoch >= learner.epochs // 5:
            stopped = f"epoch {epoch + 1}: {row['skips']} skips in the normal cell"
            learner.epochs = epoch + 1
        saved.add(row)
        if progress:
            progress(row)
        if stopped:
            break
    if sound:
        relaxed.take(sound)
    return Shared(space, relaxed.ranking(candidates, skips), saved.history,
                  stopped or ending(learner, epochs))  # fmt: skip


def _epoch(
    relaxed: Relaxed, learner: Learner, adam: torch.optim.Optimizer, train: Images, val: Images,
    epoch: int, second: bool,
) -> dict[str, Any]:  # fmt: skip
    """One epoch of the weights, a step of the alphas before each of theirs; its row of history."""
    recipe, seed = learner.recipe, learner.seed
    steps, questions = recipe.steps(len(train)), _endless(val, recipe, seed, epoch)
    losses, right, seen = 0.0, 0, 0
    for step, batch in enumerate(train.epoch(recipe, seed, epoch)):
        other = next(questions)
        rate = recipe.rate_at(epoch * steps + step, learner.epochs * steps)
        gradient, hits = architecture_gradient(relaxed, learner, batch, other, rate, second)
        for alphas, own in zip(relaxed.alphas, gradient, strict=True):
            alphas.grad = own
        adam.step()
        right, seen = right + hits, seen + len(other[0])
        with torch.no_grad():
            relaxed.weigh()
        losses += float(learner.learn(*batch, rate))
    return {
        "epoch": epoch + 1, "train_loss": losses / steps, "val_accuracy": right / seen,
        "skips": skips_of(relaxed.genotype()), "code": relaxed.code(),
    }  # fmt: skip


def _endless(images: Images, recipe: Recipe, seed: int, epoch: int) -> Iterator[Any]:
    """Batches of an epoch, again and again, each time in another order."""
    for turn in count():
        yield from images.epoch(recipe, seed, epoch * 1000 + turn)


def architecture_gradient(
    relaxed: Relaxed,
    learner: Learner,
    train: Batch,
    val: Batch,
    rate: float,
    second: bool,
    reach: float = 0.01,
) -> tuple[list[Tensor], int]:
    """The gradient of the loss on `val` by the alphas, at the weights there are or (`second`) at
    those after the optimiser's next step on `train`, which depend on the alphas too; and how many
    images of `val` were right.

    The second part of the latter is a product of mixed second derivatives with a vector, by finite
    differences along it, `reach` far to both sides (equations 6 to 8 of the paper). The step is
    that of the recipe's SGD with Nesterov's momentum and decay, not clipped.
    """
    model = learner.model
    model.train()
    weights = [p for p in model.parameters() if p.requires_grad]
    if not second:
        outputs = relaxed(val[0])
        return _grads(learner.loss(outputs, val[1]), relaxed.alphas), _right(outputs, val[1])
    saved = [weight.detach().clone() for weight in weights]
    buffers = [buffer.clone() for buffer in model.buffers()]
    step, factor = _unrolled(
        learner, weights, lambda: learner.loss(relaxed(train[0]), train[1]), rate
    )
    _move(weights, saved, step, -1.0)
    outputs = relaxed(val[0])
    both = _grads(learner.loss(outputs, val[1]), [*weights, *relaxed.alphas])
    vector, gradient = both[: len(weights)], both[len(weights) :]
    norm = float(torch.stack([part.norm() for part in vector]).norm())
    reach /= max(norm, 1e-12)
    sides = list[list[Tensor]]()
    for sign in (1.0, -1.0):
        _move(weights, saved, vector, sign * reach)
        sides.append(_grads(learner.loss(relaxed(train[0]), train[1]), relaxed.alphas))
    _move(weights, saved, vector, 0.0)
    for buffer, old in zip(model.buffers(), buffers, strict=True):
        buffer.copy_(old)
    both_sides = zip(gradient, *sides, strict=True)
    mended = [own - factor * (more - less) / (2 * reach) for own, more, less in both_sides]
    return mended, _right(outputs, val[1])


def _grads(loss: Tensor, of: Sequence[Tensor]) -> list[Tensor]:
    grads = torch.autograd.grad(loss, list(of), allow_unused=True)
    return [torch.zeros_like(own) if grad is None else grad
            for own, grad in zip(of, grads, strict=True)]  # fmt: skip


@torch.no_grad()
def _move(weights: Sequence[Tensor], start: Sequence[Tensor], way: Sequence[Tensor],
          far: float) -> None:  # fmt: skip
    """Sets the weights to start + far way."""
    for weight, old, part in zip(weights, start, way, strict=True):
        weight.copy_(old + far * part)


def _unrolled(
    learner: Learner, weights: Sequence[Tensor], loss: Callable[[], Tensor], rate: float
) -> tuple[list[Tensor], float]:
    """What the optimiser would take off the weights next, and how much of a gradient is in it."""
    grads = dict(zip(map(id, weights), _grads(loss(), weights), strict=True))
    steps, factor = dict[int, Tensor](), rate
    for optimiser in learner.optimisers:
        if not isinstance(optimiser, torch.optim.SGD):
            raise SearchError("second order unrolls a step of SGD; use a recipe with `sgd`")
        for group in optimiser.param_groups:
            momentum, nesterov = group["momentum"], group["nesterov"]
            for weight in group["params"]:
                change = grads[id(weight)] + group["weight_decay"] * weight.detach()
                old = optimiser.state[weight].get("momentum_buffer")
                moving = change if old is None else momentum * old + change
                steps[id(weight)] = rate * (change + momentum * moving if nesterov else moving)
            factor = rate * (1 + momentum if nesterov else 1)
    return [steps[id(weight)] for weight in weights], factor


def _right(outputs: Any, labels: Tensor) -> int:
    out = outputs["out"] if isinstance(outputs, dict) else outputs
    truth = labels if labels.ndim == 1 else labels.argmax(1)
    return int((out.argmax(1) == truth).sum())
