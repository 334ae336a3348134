"""Optimisers of a recipe, with weight decay where it belongs, and Muon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from netwright.train.recipe import Recipe

__all__ = ["Muon", "optimisers", "orthogonal"]

DENSE, BIAS = 1.8, 0.22
"""Beside Muon, dense layers and what has one axis learn by SGD, at these shares of its rate."""


def optimisers(
    model: nn.Module, recipe: Recipe, scale: Mapping[str, float] | None = None
) -> list[Optimizer]:
    """The optimisers that train what asks for a gradient in `model`.

    `scale` multiplies the rate of parameters whose names begin with one of its keys, the
    longest that fits: layer-wise rates. Every group remembers it as `scale`.
    """
    kernels, rest = (dict[tuple[float, float], list[nn.Parameter]]() for _ in range(2))
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        factor = _scale(name, scale or {})
        decay = recipe.decay if parameter.ndim > 1 else 0.0
        turns = recipe.optimiser == "muon" and parameter.ndim > 2
        if recipe.optimiser == "muon" and not turns:
            factor *= DENSE if parameter.ndim > 1 else BIAS
        if parameter.ndim == 1:
            factor *= recipe.biases
        chosen = kernels if turns else rest
        chosen.setdefault((decay, factor), []).append(parameter)
    built = [_plain(_groups(rest), recipe)] if rest else []
    return built + ([Muon(_groups(kernels), recipe.rate, recipe.momentum)] if kernels else [])


def _groups(members: Mapping[tuple[float, float], list[nn.Parameter]]) -> list[dict[str, Any]]:
    return [{"params": parameters, "weight_decay": decay, "scale": scale}
            for (decay, scale), parameters in members.items()]  # fmt: skip


def _scale(name: str, scale: Mapping[str, float]) -> float:
    fitting = [key for key in scale if name == key or name.startswith(key + ".")]
    return scale[max(fitting, key=len)] if fitting else 1.0


def _plain(groups: list[dict[str, Any]], recipe: Recipe) -> Optimizer:
    # One kernel for all is quickest on a GPU; on a CPU it copies what lies channels last.
    on_cpu = all(p.device.type == "cpu" for group in groups for p in group["params"])
    how = {"foreach": True} if on_cpu else {"fused": True}
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.rate, betas=(recipe.momentum, 0.999), **how)
    if recipe.optimiser == "rmsprop":
        return torch.optim.RMSprop(
            groups, lr=recipe.rate, alpha=0.9, momentum=recipe.momentum, eps=1e-3, foreach=True
        )
    # Muon is for kernels; what is left learns by SGD at a rate of its own (Jordan 2024).
    momentum = 0.85 if recipe.optimiser == "muon" else recipe.momentum
    return torch.optim.SGD(groups, lr=recipe.rate, momentum=momentum, nesterov=momentum > 0, **how)


class Muon(Optimizer):
    """Momentum whose update of every kernel is made orthogonal (Jordan et al. 2024, "Muon").

    A kernel (out, in, k, k) is taken as a matrix of out rows; the update has the norm of the
    kernel's own at the start, so `lr` is the share by which it turns in a step.
    """

    def __init__(self, params: Iterable[Any], lr: float, momentum: float) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step by the gradients that are there."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                state["momentum"].mul_(group["momentum"]).add_(parameter.grad)
                update = parameter.grad.add(state["momentum"], alpha=group["momentum"])
                rows = len(parameter)
                parameter.mul_(rows**0.5 / parameter.norm().clamp(min=1e-12))
                direction = orthogonal(update.reshape(rows, -1)).view(parameter.shape)
                parameter.add_(direction, alpha=-group["lr"])


def orthogonal(matrix: Tensor, steps: int = 3) -> Tensor:
    """Nearly the closest semi-orthogonal matrix, by a quintic Newton-Schulz iteration.

    >>> values = torch.linalg.svdvals(orthogonal(torch.eye(3) * torch.tensor([1.0, 0.5, 0.2]), 5))
    >>> bool((values > 0.6).all() and (values < 1.3).all())
    True
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix / matrix.norm().clamp(min=1e-7)
    flat = x.shape[0] > x.shape[1]
    x = x.T if flat else x
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if flat else x
