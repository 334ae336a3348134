"""Which nets to train: planned, not built, and held against image size, budget and time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from netwright.core.net import Net
from netwright.core.plan import Plan
from netwright.core.shape import Shape, show
from netwright.errors import BudgetError
from netwright.report.numbers import human, human_bytes
from netwright.space.budget import Budget
from netwright.space.families import grid

__all__ = ["Candidate", "Proposal", "propose"]

SMALLEST_MAP = 2


@dataclass(frozen=True)
class Candidate:
    """A planned net, and why it is not trained; no reason means that it is."""

    family: str
    net: Net
    plan: Plan = field(repr=False)
    reason: str = ""

    @property
    def field(self) -> int:
        """Side of the last map's receptive field in pixels, not clipped by the image."""
        seen = self.plan.field
        return min(axis.size for axis in seen.axes) if seen and seen.axes else 0

    @property
    def last_map(self) -> int:
        """Side of the last map."""
        rank = len(self.net.input)
        maps = [row.output for row in self.plan if len(row.output) == rank and row.field.axes]
        return min(maps[-1][1:])

    def to_json(self) -> dict[str, Any]:
        """Figures and verdict, as JSON's own types."""
        plan = self.plan
        return {
            "name": self.net.name, "family": self.family, "params": plan.params,
            "macs": plan.macs, "memory": plan.memory, "field": self.field,
            "last_map": self.last_map, "reason": self.reason,
        }  # fmt: skip

    @property
    def score(self) -> int:
        """Parameters times multiply-adds: large where a net spends both."""
        return self.plan.params * self.plan.macs


@dataclass(frozen=True)
class Proposal:
    """All nets that were planned; `kept` are those to train."""

    planned: tuple[Candidate, ...]
    budget: Budget

    @property
    def kept(self) -> list[Candidate]:
        """One net of each family that can be afforded, the fastest first."""
        return [candidate for candidate in self.planned if not candidate.reason]

    def reasons(self) -> dict[str, int]:
        """How many nets were left out for each reason."""
        return dict(Counter(c.reason for c in self.planned if c.reason).most_common())


def propose(
    input: Shape, classes: int, budget: Budget, *, affordable: Callable[[Plan], bool]
) -> Proposal:
    """Plans every net of the grid and keeps the best of each family.

    A net is kept when it meets the budget, leaves a last map of at least 2x2, sees the whole
    image from there, and `affordable` says that it can be trained in the time; of those the
    one that spends parameters and MACs best. Raises `BudgetError` naming the nearest net
    when none meets the budget.
    """
    planned = [_judged(family, net, budget, affordable) for family, net in grid(input, classes)]
    _check(planned, budget)
    fitting = [c for c in planned if not c.reason]
    if not fitting:  # nothing is ideal: the cheapest that meets the budget has to do
        fitting = [
            min((c for c in planned if not budget.broken(c.plan)), key=lambda c: c.plan.macs)
        ]
    best: dict[str, Candidate] = {}
    for candidate in fitting:
        rival = best.get(candidate.family)
        if rival is None or candidate.score > rival.score:
            best[candidate.family] = candidate
    kept = {id(candidate) for candidate in best.values()}
    judged = [
        _because(
            c,
            "" if id(c) in kept else c.reason or "another of its family spends more of the budget",
        )
        for c in planned
    ]
    return Proposal(tuple(sorted(judged, key=lambda c: (c.plan.macs, c.net.name))), budget)


def _judged(family: str, net: Net, budget: Budget, affordable: Callable[[Plan], bool]) -> Candidate:
    candidate = Candidate(family, net, net.plan())
    return _because(candidate, _fault(candidate, budget, affordable))


def _fault(candidate: Candidate, budget: Budget, affordable: Callable[[Plan], bool]) -> str:
    broken = budget.broken(candidate.plan)
    if broken:
        return f"over the budget of {broken[0]}"
    if candidate.last_map < SMALLEST_MAP:
        return "the last map is a single point"
    if candidate.field < min(candidate.net.input[1:]):
        return "the last map does not see the whole image"
    if not affordable(candidate.plan):
        return "too slow to learn in the time"
    return ""


def _because(candidate: Candidate, reason: str) -> Candidate:
    return Candidate(candidate.family, candidate.net, candidate.plan, reason)


def _check(planned: list[Candidate], budget: Budget) -> None:
    if any(not budget.broken(c.plan) for c in planned):
        return
    nearest = min(planned, key=lambda c: (budget.excess(c.plan), c.plan.macs))
    plan = nearest.plan
    wanted = ", ".join(f"{name}<={getattr(plan, name)}" for name in budget.broken(plan))
    raise BudgetError(
        f"no net for images of {show(plan.input)} meets {budget.describe()}; the nearest, "
        f"{nearest.net.name}, has {human(plan.params)} parameters, {human(plan.macs)} MACs and "
        f"{human_bytes(plan.memory)} of memory; allow at least {wanted}, or make the images smaller"
    )
