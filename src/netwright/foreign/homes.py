"""Under which names PyTorch has a function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["getters", "homes"]


def homes(*names: str) -> Iterator[Any]:
    """The functions of these names in `torch`, `Tensor` and `torch.nn.functional`."""
    for name in names:
        for home in (torch, Tensor, F):
            if callable(found := getattr(home, name, None)):
                yield found


def getters(*names: str) -> Iterator[Any]:
    """What reading these attributes of a tensor calls."""
    for name in names:
        yield getattr(Tensor, name).__get__
