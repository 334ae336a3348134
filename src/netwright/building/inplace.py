"""Which activations may write over what they read: it saves a map, and the time to fetch one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from torch import nn

from netwright.core.wiring import Branches, Sequential, Wiring
from netwright.layers import Add, Cat

__all__ = ["reuse"]

ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.SiLU, nn.Hardswish)
FRESH = (
    nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear, nn.GroupNorm,
    nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d,
)  # fmt: skip
"""Modules that make a new tensor and do not need it for their gradient."""


def reuse(wiring: Wiring, children: Mapping[str, nn.Module]) -> None:
    """Lets the activations of a chain work in place where the part before them makes a tensor
    that nobody else reads and no gradient needs.

    A hook that keeps the output of such a part keeps what the activation made of it; set
    `inplace = False` on the activations to look at both.
    """
    if not isinstance(wiring, Sequential):
        return
    for before, name in pairwise(wiring.names):
        act = children[name]
        if type(act) in ACTIVATIONS and _fresh(children[before]):
            act.inplace = True  # type: ignore[assignment]


def _fresh(module: nn.Module) -> bool:
    wiring = getattr(module, "wiring", None)
    if type(wiring) is Sequential and len(wiring):
        return _fresh(getattr(module, wiring.names[-1]))
    if isinstance(wiring, Branches):
        return len(wiring) > 1 and isinstance(module.join, Add | Cat)
    return type(module) in FRESH
