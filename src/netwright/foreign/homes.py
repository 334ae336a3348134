"""Under which names PyTorch has a function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["getters", "homes"]


def homes(*names: str, places: Sequence[Any] = (torch, Tensor, F)) -> Iterator[Any]:
    """The functions of these names, each in the `places` that have it."""
    for name in names:
        for place in places:
            function = getattr(place, name, None)
            if callable(function):
                yield function


def getters(*names: str) -> Iterator[Any]:
    """What reading these attributes of a tensor calls."""
    for name in names:
        yield getattr(Tensor, name).__get__
