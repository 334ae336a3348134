"""Weights made random, part after part, and back."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from netwright.errors import LookError

__all__ = ["groups_of", "shuffle", "weights_kept"]


def groups_of(model: nn.Module, steps: int) -> list[list[tuple[str, nn.Module]]]:
    """The layers with weights, the last first: the very last, then the others in even parts."""
    parts = [(path, part) for path, part in model.named_modules() if [*part.parameters(False)]]
    if steps < 1 or not parts:
        raise LookError(f"steps is {steps}, the model has {len(parts)} layers with weights; wanted "
                        "at least 1 each")  # fmt: skip
    last, *rest = parts[::-1]
    count = min(steps - 1, len(rest))
    bounds = np.linspace(0, len(rest), count + 1).round().astype(int)
    return [[last], *[rest[a:b] for a, b in pairwise(bounds)]]


def shuffle(parts: list[nn.Module], generator: torch.Generator) -> None:
    """Every filter's values in another order, and those of vectors."""
    with torch.no_grad():
        for part in parts:
            for weight in part.parameters(False):
                rows = weight.flatten(1) if weight.dim() > 1 else weight[None]
                keys = torch.rand(rows.shape, generator=generator).to(rows.device)
                weight.copy_(rows.gather(1, keys.argsort(1)).view_as(weight))


@contextmanager
def weights_kept(model: nn.Module) -> Generator[None]:
    """Afterwards the weights are those of before, to the bit."""
    kept = [(weight, weight.detach().clone()) for weight in model.parameters()]
    try:
        yield
    finally:
        with torch.no_grad():
            for weight, values in kept:
                weight.copy_(values)
