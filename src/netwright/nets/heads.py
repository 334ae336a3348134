"""Heads that nets share."""

from __future__ import annotations

from netwright.core.wiring import Sequential
from netwright.units.linear import Linear
from netwright.units.pool import GlobalAvgPool
from netwright.units.regularise import Dropout

__all__ = ["pooled"]


def pooled(classes: int, dropout: float = 0.0) -> Sequential:
    """Global average pooling and one dense unit, with dropout between if asked."""
    drop = {"drop": Dropout(dropout)} if dropout else {}
    return Sequential(pool=GlobalAvgPool(), **drop, fc=Linear(classes))
