"""What the nets of a search may cost: a budget, predicted latency, the receptive field."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Self

from netwright.core.plan import Plan
from netwright.errors import BudgetError
from netwright.space.budget import AMOUNT, Budget
from netwright.space.totals import Totals

__all__ = ["Limits", "Uncalibrated"]

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
LATENCY = re.compile(rf"\s*latency\s*(?:<=|<|≤)\s*{AMOUNT}", re.IGNORECASE)
FIELD = re.compile(r"\s*field\s*(?:>=|>|≥)\s*([0-9]+)\s*", re.IGNORECASE)


class Uncalibrated(BudgetError):
    """A bound of latency on a machine whose rates are not known: no net can be held to it."""


@dataclass(frozen=True)
class Limits(Budget):
    """A budget, and bounds that a whole plan is needed for.

    latency: seconds of an image at most, as `netwright calibrate` lets this machine be predicted
    field: positions that units of the last map see at least, along the axis where that is least;
        those that see everything see enough
    """

    latency: float | None = None
    field: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads bounds such as `params<=1M, latency<=5ms, field>=64`. Raises `BudgetError`.

        >>> Limits.parse("macs<=50M, latency<=5ms, field>=64")
        Limits(params=None, macs=50000000, memory=None, latency=0.005, field=64)
        """
        own, rest = dict[str, Any](), list[str]()  # those of its own, and those of every budget
        for term in re.split(r"[,;]", text):
            latency, field = LATENCY.fullmatch(term), FIELD.fullmatch(term)
            name = "latency" if latency else "field"
            if (latency or field) and name in own:
                raise BudgetError(f"budget names {name} twice; once will do: {text!r}")
            if latency:
                if latency[2].lower() not in SECONDS:
                    raise BudgetError(f"budget {term.strip()!r} has the unit {latency[2]!r}; "
                                      f"latency takes: {', '.join(SECONDS)}")  # fmt: skip
                own["latency"] = float(latency[1]) * SECONDS[latency[2].lower()]
            elif field:
                own["field"] = int(field[1])
            elif term.strip().lower().startswith("field"):
                raise BudgetError(f"budget {term.strip()!r} cannot be read; the receptive field is "
                                  "bounded from below by whole positions: field>=64")  # fmt: skip
            else:
                rest.append(term)
        return replace(super().parse(",".join(rest)), **own)

    @classmethod
    def of(cls, budget: Budget | None) -> Limits:
        """The limits that a budget sets."""
        if isinstance(budget, Limits):
            return budget
        return cls(**budget.bounds()) if budget else cls()

    def __str__(self) -> str:
        own = {"latency": f"<={1e3 * (self.latency or 0):g}ms", "field": f">={self.field}"}
        words = [f"{name}{own.get(name, f'<={bound}')}" for name, bound in self.bounds().items()]
        return ", ".join(words)

    def needs(self, plan: Plan) -> dict[str, float]:
        """What a plan has of everything that is bounded."""
        return {name: _need(name, plan) for name in self.bounds()}

    def excess(self, plan: Plan | Totals) -> float:
        if isinstance(plan, Totals):
            return self.plain.excess(plan)
        return max(self._ratios(plan).values(), default=0.0)

    def broken(self, plan: Plan) -> list[str]:
        return [name for name, ratio in self._ratios(plan).items() if ratio > 1]

    def _ratios(self, plan: Plan) -> dict[str, float]:
        def ratio(name: str, need: float, bound: float) -> float:
            return bound / max(need, 1) if name == "field" else need / max(bound, 1e-12)

        bounds = self.bounds()
        return {name: ratio(name, need, bounds[name]) for name, need in self.needs(plan).items()}

    def lazily(self, totals: Totals, plan: Callable[[], Plan]) -> float:
        """The excess of a net whose totals are known; its plan is asked for only where they keep
        their bounds and others are set.
        """
        counts = Budget(self.params, self.macs)
        most = counts.excess(totals)
        decided = most > 1 or counts.bounds().keys() == self.bounds().keys()
        return most if decided else max(most, self.excess(plan()))

    def having(self, plan: Plan) -> str:
        """What a plan has of everything that is bounded, for people: `params = 1.2M`."""
        needs = self.needs(plan)
        whole = {name: need if name == "latency" else int(min(need, 2**31 - 1))
                 for name, need in needs.items()}  # fmt: skip
        return Limits(**whole).describe().replace("≤", "=").replace("≥", "=")  # type: ignore[arg-type]

    def describe(self) -> str:
        words = [] if not Budget.bounds(self.plain) else [self.plain.describe()]
        if self.latency is not None:
            words.append(f"latency ≤ {1e3 * self.latency:.3g} ms")
        if self.field is not None:
            words.append(f"field ≥ {self.field}")
        return ", ".join(words) or "no bound"

    @property
    def plain(self) -> Budget:
        """The bounds that every budget has."""
        return Budget(self.params, self.macs, self.memory)


def _need(name: str, plan: Plan) -> float:
    if name == "latency":
        latency = plan.latency()
        if latency is None:
            raise Uncalibrated("a bound of latency needs this machine's rates; run "
                               "`netwright calibrate` first, or bound macs")  # fmt: skip
        return latency.seconds
    if name == "field":
        field = plan.field
        if field is None or field.status in ("global", "unknown"):
            return inf if field is not None and field.status == "global" else 0.0
        return float(min(field.size or (0,)))
    return float(getattr(plan, name))
