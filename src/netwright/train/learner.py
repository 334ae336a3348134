"""One model while it learns: steps, evaluation, and a state that resumes to the bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_swa_multi_avg_fn

from netwright.data.mixing import shared
from netwright.train.batches import Images, ahead, overlaps, seed_of
from netwright.train.optimiser import optimisers
from netwright.train.processes import here, joined, parallel, synced
from netwright.train.recipe import Recipe
from netwright.train.views import ALONE, Views

__all__ = ["Learner", "device", "probabilities"]

SWA_FROM = 0.75
"""The share of the epochs after which weights are averaged."""


def device() -> torch.device:
    """Where nets are trained on this machine."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def probabilities(
    model: nn.Module,
    images: Images,
    *,
    views: Views = ALONE,
    precision: str = "fp32",
    tell: Callable[[float], None] = lambda share: None,
) -> np.ndarray:
    """Softmax of the mean output of an image's views in evaluation mode, (N, classes); `tell`
    hears the share that is done.
    """
    model.eval()
    outputs, done = list[Tensor](), 0
    with torch.inference_mode(), _autocast(images.device, precision):
        for x in images.inorder():
            outputs.append(views.outputs(model, x).softmax(1))
            done += len(x)
            tell(done / len(images))
    return torch.cat(outputs).cpu().numpy()


class Learner:
    """A model trained for `epochs` epochs by a recipe.

    Everything random follows from the seed, the name, the epoch and the step, so that a learner
    restored between any two steps goes on as if it had never stopped.

    Arguments:
        model: what learns; parameters that ask for no gradient stay as they are.
        recipe: how.
        epochs: how long.
        seed, name: what randomness depends on.
        precision: `fp32`, or `bf16` for autocast.
        class_weights: what an image of each class counts in the loss.
        scale: shares of the learning rate by the names of parts; see `optimisers`.
    """

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        *,
        epochs: int,
        seed: int = 0,
        name: str = "",
        precision: str = "fp32",
        class_weights: Tensor | None = None,
        scale: Mapping[str, float] | None = None,
    ) -> None:
        self.recipe, self.epochs, self.precision, self.place = recipe, epochs, precision, here()
        self.seed, self.name, self.class_weights = seed, name, class_weights
        self.model = synced(model).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parallel = parallel(self.model)
        self.optimisers = optimisers(self.model, recipe, scale)
        self.average = _average(self.model, recipe)
        self.done, self.step, self.total = 0, 0, 0.0
        self.parts, self.factor = recipe.accumulate, 1.0

    @property
    def best(self) -> nn.Module:
        """The model to test: the average where the recipe keeps one and it has begun."""
        if self.average is None or not int(self.average.n_averaged):
            return self.model
        return self.average.module

    def epoch(self, images: Images) -> Iterator[float]:
        """The losses of the rest of the epoch, a step each time one is asked for."""
        self.model.train()
        steps = self.recipe.steps(len(images))
        seed = seed_of(self.seed, self.name)
        batches = images.epoch(self.recipe, seed, self.done, first=self.step, place=self.place)
        if overlaps(images.device, self.recipe):
            batches = ahead(batches)
        for x, labels in batches:
            rate = self.recipe.rate_at(self.done * steps + self.step, self.epochs * steps)
            torch.manual_seed(seed_of(self.seed, self.name, self.done, self.step, self.place.rank))
            loss = float(self.learn(x, labels, self.factor * rate))
            self.step, self.total = self.step + 1, self.total + loss
            if self.average is not None and self.recipe.average == "ema":
                self.average.update_parameters(self.model)
            yield loss
        late = self.done >= int(SWA_FROM * self.epochs)
        if self.average is not None and self.recipe.average == "swa" and late:
            self.average.update_parameters(self.model)
        self.end()

    def end(self) -> None:
        """The epoch is over, be it trained to its end or not."""
        self.done, self.step = self.done + 1, 0

    def take_loss(self, steps: int) -> float:
        """The mean loss of the epoch that has ended; counting begins anew."""
        mean, self.total = self.total / steps, 0.0
        return mean

    def learn(self, x: Tensor, labels: Tensor, rate: float) -> Tensor:
        """One step of the optimisers; the loss of the batch."""
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
            for group in optimiser.param_groups:
                group["lr"] = rate * group.get("scale", 1.0)
        total = torch.zeros((), device=x.device)
        # Gradients are averaged over processes whose slices may differ by an image.
        count = float(joined(torch.tensor(float(len(x)), device=x.device)))
        for images, truth in zip(x.chunk(self.parts), labels.chunk(self.parts), strict=True):
            with _autocast(x.device, self.precision):
                loss = self.loss(self.parallel(images), truth) * (len(images) / count)
            (loss * self.place.world).backward()
            total += loss.detach()
        total = joined(total)
        if self.recipe.clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        for optimiser in self.optimisers:
            optimiser.step()
        return total

    def loss(self, outputs: Any, labels: Tensor) -> Tensor:
        """The mean cross entropy with smoothed labels; auxiliary heads count by their weights."""
        heads = outputs if isinstance(outputs, dict) else {"out": outputs}
        own = getattr(self.model, "taps", {})
        losses = list[Tensor]()
        for name, output in heads.items():
            weight = 1.0 if name == "out" else own[name]
            if name != "out" and self.recipe.auxiliary is not None:
                weight = self.recipe.auxiliary
            losses.append(weight * self._entropy(output.float(), labels))
        return torch.stack(losses).sum()

    def _entropy(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Cross entropy over the number of images, whatever they weigh, so that the mean over
        parts of a batch is that over the whole. A row of shares may sum to an image's weight.
        """
        smoothing, classes = self.recipe.smoothing, outputs.shape[1]
        if labels.ndim == 1 and self.class_weights is None:
            return F.cross_entropy(outputs, labels, label_smoothing=smoothing)
        shares = shared(labels, classes)
        shares = (1 - smoothing) * shares + smoothing / classes * shares.sum(1, keepdim=True)
        return F.cross_entropy(outputs, shares, self.class_weights)

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds; to be written before the next step changes it."""
        return {
            "model": self.model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "average": self.average.state_dict() if self.average is not None else None,
            "done": self.done, "step": self.step, "total": self.total,
            "parts": self.parts, "factor": self.factor, "epochs": self.epochs,
        }  # fmt: skip

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes back to a state."""
        self.model.load_state_dict(state["model"])
        for optimiser, own in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(own)
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        for word in ("done", "step", "total", "parts", "factor", "epochs"):
            setattr(self, word, state[word])


def _average(model: nn.Module, recipe: Recipe) -> AveragedModel | None:
    if recipe.average == "none":
        return None
    mean = _moving(recipe.keep) if recipe.average == "ema" else get_swa_multi_avg_fn()
    averaged = AveragedModel(model, multi_avg_fn=mean, use_buffers=True)
    return averaged.requires_grad_(False)


def _moving(keep: float) -> Callable[[Any, Any, Any], None]:
    """The exponential mean, which forgets its first steps faster: after n of them it keeps at most
    (1 + n) / (10 + n) of itself, so that it is of use in short trainings too.
    """

    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], count: Any) -> None:
        share = 1 - min(keep, (1 + int(count)) / (10 + int(count)))
        for mean, value in zip(averaged, current, strict=True):
            if mean.is_floating_point():
                mean.lerp_(value.to(mean.dtype), share)
            else:
                mean.copy_(value)

    return update


def _autocast(place: torch.device, precision: str) -> torch.autocast:
    return torch.autocast(place.type, torch.bfloat16, enabled=precision == "bf16")
