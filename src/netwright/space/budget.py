"""What a net may cost."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Self

from netwright.core.plan import Plan
from netwright.errors import BudgetError, nearest
from netwright.report.numbers import human, human_bytes
from netwright.space.totals import Totals

__all__ = ["Budget", "count", "size"]

COUNTS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}
BYTES = {"": 1, "b": 1, **{unit: 2 ** (10 * power) for power, units in enumerate(
    ("k kb kib", "m mb mib", "g gb gib"), 1) for unit in units.split()}}  # fmt: skip
AMOUNT = r"([0-9]+(?:\.[0-9]+)?(?:e[0-9]{1,2})?)\s*([a-z]*)\s*"
TERM = re.compile(rf"\s*([a-z_]+)\s*(?:<=|<|≤)\s*{AMOUNT}", re.IGNORECASE)
EXAMPLE = "params<=1M, macs<=50M, memory<=20MB"


@dataclass(frozen=True)
class Budget:
    """Upper bounds of parameters, multiply-adds and bytes that inference needs; None is free.

    `memory` is `Plan.memory`: weights, buffers and the activations' peak, one image.
    """

    params: int | None = None
    macs: int | None = None
    memory: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads bounds such as `params<=1M, macs<=50M, memory<=20MB`.

        k, M, G are powers of 1000, of bytes KB, MB, GB of 1024, as in all tables. Raises
        `BudgetError`.

        >>> Budget.parse("params<=1M, memory<=512KB")
        Budget(params=1000000, macs=None, memory=524288)
        """
        bounds: dict[str, int] = {}
        for term in filter(str.strip, re.split(r"[,;]", text)):
            name, bound = _term(term, [field.name for field in fields(cls)])
            if name in bounds:
                raise BudgetError(f"budget names {name} twice; once will do: {text!r}")
            bounds[name] = bound
        return cls(**bounds)

    def __str__(self) -> str:
        return ", ".join(f"{name}<={value}" for name, value in self.bounds().items())

    def bounds(self) -> dict[str, int]:
        """The bounds that are set, by name."""
        own = vars(self)
        return {
            field.name: own[field.name] for field in fields(self) if own[field.name] is not None
        }

    def excess(self, plan: Plan | Totals) -> float:
        """The largest ratio of what the plan needs to what is allowed; at most 1 where it fits."""
        ratios = [getattr(plan, name) / max(bound, 1) for name, bound in self.bounds().items()]
        return max(ratios, default=0.0)

    def broken(self, plan: Plan) -> list[str]:
        """Names of the bounds that the plan exceeds."""
        return [name for name, bound in self.bounds().items() if getattr(plan, name) > bound]

    def describe(self) -> str:
        """For people: `params <= 1M, memory <= 20 MB`."""
        shown = {name: human_bytes(bound) if name == "memory" else human(bound)
                 for name, bound in self.bounds().items()}  # fmt: skip
        return ", ".join(f"{name} ≤ {value}" for name, value in shown.items()) or "no bound"


def count(text: str) -> int:
    """A count such as 300, 10M or 1.5G; k, M and G are powers of 1000. Raises `BudgetError`.

    >>> count("10M"), count("1.5 G")
    (10000000, 1500000000)
    """
    return _amount(text, COUNTS, "count; wanted a number such as 300, 10M or 1.5G")


def size(text: str) -> int:
    """Bytes such as 512MB or 24GB; KB, MB and GB are powers of 1024. Raises `BudgetError`.

    >>> size("1.5KB")
    1536
    """
    return _amount(text, BYTES, "number of bytes; wanted one such as 512MB or 24GB")


def _amount(text: str, scales: dict[str, int], wanted: str) -> int:
    match = re.fullmatch(AMOUNT, text, re.IGNORECASE)
    if not match or match[2].lower() not in scales:
        raise BudgetError(f"{text!r} is no {wanted}")
    return int(Decimal(match[1]) * scales[match[2].lower()])


def _term(term: str, bounds: list[str]) -> tuple[str, int]:
    match = TERM.fullmatch(term)
    if not match:
        raise BudgetError(
            f"budget {term.strip()!r} cannot be read; wanted bounds such as {EXAMPLE!r}"
        )
    name, number, suffix = match[1].lower(), match[2], match[3].lower()
    if name in ("latency", "time", "ms", "fps"):
        raise BudgetError(f"a budget cannot bound {name}: it depends on the machine and is not "
                          "planned; bound macs and memory instead")  # fmt: skip
    if name not in bounds:
        raise BudgetError(
            f"budget: {nearest('bound', name, bounds)}; wanted bounds such as {EXAMPLE!r}"
        )
    scales = BYTES if name == "memory" else COUNTS
    if suffix not in scales:
        units = ", ".join(scale for scale in scales if scale)
        raise BudgetError(
            f"budget {term.strip()!r} has the unit {match[3]!r}; {name} takes: {units}"
        )
    return name, int(Decimal(number) * scales[suffix])
