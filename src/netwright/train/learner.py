"""One net while it learns: epochs, evaluation, and a state that resumes to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwright.core.net import Net
from netwright.train.batches import Images, seed_of
from netwright.train.recipe import Recipe

__all__ = ["Learner", "device", "probabilities"]


def device() -> torch.device:
    """Where nets are trained on this machine."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def probabilities(model: nn.Module, images: Images) -> np.ndarray:
    """Softmax of the model's outputs in evaluation mode, (N, classes)."""
    model.eval()
    with torch.inference_mode():
        outputs = [model(x).double().softmax(1) for x in images.inorder()]
    return torch.cat(outputs).cpu().numpy()


class Learner:
    """A net trained for `epochs` epochs by a recipe.

    Everything random in an epoch follows from `name`, the seed and the epoch's number, so
    that a learner that is restored between two epochs goes on as if it had never stopped.
    """

    def __init__(
        self, net: Net, recipe: Recipe, *, epochs: int, seed: int, name: str, precision: str
    ) -> None:
        self.recipe, self.epochs, self.precision = recipe, epochs, precision
        self.seed, self.name = seed, name
        self.done = 0
        model = net.build(seed=seed_of(seed, name, "init"), device=device())
        self.model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        spared = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.SGD(
            [{"params": decayed, "weight_decay": recipe.decay},
             {"params": spared, "weight_decay": 0}],
            lr=recipe.rate, momentum=recipe.momentum, nesterov=recipe.momentum > 0,
        )  # fmt: skip

    def epoch(self, images: Images) -> float:
        """Trains one epoch; the mean loss, which is not finite when the net diverged."""
        self.model.train()
        torch.manual_seed(seed_of(self.seed, self.name, self.done, "dropout"))
        steps = self.recipe.steps(len(images))
        total = torch.zeros((), device=images.labels.device)
        batches = images.epoch(self.recipe, seed_of(self.seed, self.name, self.done, "data"))
        for step, (x, labels) in enumerate(batches, self.done * steps):
            rate = self.recipe.rate_at(step, self.epochs * steps)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            total += self.step(x, labels)
        self.done += 1
        return float(total) / steps

    def step(self, x: Tensor, labels: Tensor) -> Tensor:
        """One step of the optimiser; the loss of the batch."""
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            loss = self._loss(self.model(x), labels)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def _loss(self, outputs: Any, labels: Tensor) -> Tensor:
        """Cross entropy with smoothed labels; auxiliary heads count by their weights."""
        heads = outputs if isinstance(outputs, dict) else {"out": outputs}
        weights = {"out": 1.0, **getattr(self.model, "taps", {})}
        losses = [
            weights[name]
            * F.cross_entropy(out.float(), labels, label_smoothing=self.recipe.smoothing)
            for name, out in heads.items()
        ]
        return torch.stack(losses).sum()

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "done": self.done,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes back to a state."""
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.done = state["done"]
