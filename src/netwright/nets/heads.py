"""Heads that nets share."""

from __future__ import annotations

from netwright.core.wiring import Sequential
from netwright.units.activation import ReLU
from netwright.units.linear import Flatten, Linear
from netwright.units.pool import AdaptiveAvgPool, GlobalAvgPool
from netwright.units.regularise import Dropout

__all__ = ["dense", "pooled"]


def pooled(classes: int, dropout: float = 0.0, *, bias: bool = True) -> Sequential:
    """Global average pooling and one dense unit, with dropout between if asked."""
    drop = {"drop": Dropout(dropout)} if dropout else {}
    return Sequential(pool=GlobalAvgPool(), **drop, fc=Linear(classes, bias))


def dense(classes: int, grid: int, hidden: int = 4096, dropout: float = 0.5) -> Sequential:
    """Three dense units behind a map of grid x grid positions; maps of another size are
    averaged to that grid, as in torchvision.
    """
    return Sequential(
        pool=AdaptiveAvgPool(grid),
        flatten=Flatten(),
        fc1=Linear(hidden),
        act1=ReLU(),
        drop1=Dropout(dropout),
        fc2=Linear(hidden),
        act2=ReLU(),
        drop2=Dropout(dropout),
        fc3=Linear(classes),
    )
