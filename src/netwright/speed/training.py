"""Seconds of a training step from the measured speed of a machine; pure arithmetic.

A step is taken to need a time for every unit, every multiply-add and every element that units
put out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netwright.core.plan import Plan

__all__ = ["PRECISIONS", "Speed", "amounts", "choices", "faster"]

PRECISIONS = ("fp32", "bf16")
FASTER = 1.25
"""bf16 has to be faster by this factor to be worth its rounding."""


@dataclass(frozen=True)
class Speed:
    """Seconds of training for every unit, multiply-add and output element."""

    unit: float
    mac: float
    element: float

    def step(self, plan: Plan, batch: int) -> float:
        """Seconds of one training step."""
        units, macs, elements = amounts(plan, batch)
        return units * self.unit + macs * self.mac + elements * self.element


def amounts(plan: Plan, batch: int) -> tuple[int, int, int]:
    """What a step's time is linear in: units, multiply-adds and output elements of a batch."""
    return len(plan), batch * plan.macs, batch * sum(row.elements for row in plan)


def choices(precision: str) -> tuple[str, ...]:
    """What a precision leaves to choose from, the exact one first: all of `auto`."""
    return PRECISIONS if precision == "auto" else (precision,)


def faster(seconds: Mapping[str, float]) -> str:
    """The precision to compute in, by the seconds that each takes: bf16 where it pays."""
    if len(seconds) == 1:
        return next(iter(seconds))
    return "bf16" if seconds["fp32"] > FASTER * seconds["bf16"] else "fp32"
