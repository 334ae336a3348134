"""What advice is made of: findings, and rewrites with the change they bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from netwright.core.net import Net
from netwright.core.plan import Plan, Row
from netwright.errors import NetwrightError
from netwright.report.numbers import share

__all__ = ["Case", "Effect", "Finding", "Remedy", "remedies", "shares", "tried"]


DEAR = 1.5
"""Times the MACs from which on a remedy stands behind cheaper ones."""


class Effect(NamedTuple):
    """A total before and after a rewrite."""

    before: Any
    after: Any

    @property
    def ratio(self) -> float | None:
        """How many times the old total the new one is; None where there was nothing."""
        return self.after / self.before if self.before else None


@dataclass(frozen=True)
class Remedy:
    """Rules to apply in turn, the net they give, and what changes at the input asked about.

    `changes` has the `params`, `macs`, `memory` (bytes) and `field` (its largest side) of
    the whole net.
    """

    rules: tuple[str, ...]
    net: Net
    changes: dict[str, Effect]


@dataclass(frozen=True)
class Finding:
    """Something that costs more than it gives.

    `kind` is `field`, `map`, `cost`, `head`, `width`, `bias` or `align`; `paths` are the
    units it is about; `share` is their part of the net's MACs, from 0 to 1.
    """

    kind: str
    said: str
    paths: tuple[str, ...]
    share: float
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True)
class Case:
    """A net, its plan at the input asked about, and the side of what is to be seen, an axis."""

    net: Net
    plan: Plan
    seen: tuple[int, ...]

    def rows(self) -> list[tuple[int, Row]]:
        """The rows that inference runs, with their index."""
        return [(i, row) for i, row in enumerate(self.plan.rows) if not row.auxiliary]

    def sources(self, row: Row) -> list[Row | None]:
        """The rows that a row reads; None for the net's own input."""
        return [self.plan.rows[i] if i >= 0 else None for i in row.sources]

    def finding(
        self, kind: str, said: str, rows: Sequence[Row], fixes: tuple[Remedy, ...] = ()
    ) -> Finding:
        """The finding about these rows."""
        work = sum(row.macs for row in rows)
        paths = tuple([row.path for row in rows])
        return Finding(kind, said, paths, work / self.plan.macs if work else 0.0, fixes)

    def with_net(self, net: Net) -> Case:
        """The same question about another net."""
        return replace(self, net=net, plan=net.plan())


def shares(case: Case, rows: Sequence[Row]) -> str:
    """The part of the net's cost that these rows make, in words."""
    macs, params = (sum(getattr(row, name) for row in rows) for name in ("macs", "params"))
    return (
        f"{share(macs, case.plan.macs)} of the MACs, "
        f"{share(params, case.plan.params)} of the parameters"
    )


def tried(case: Case, *rules: str) -> Remedy | None:
    """The remedy that these rules are, or None where they do not apply, change nothing, or change
    the shape of what the net gives, as stems do in nets for dense prediction.
    """
    try:
        net = case.net.rewrite(*rules)
        plan = net.plan()
    except NetwrightError:
        return None
    unchanged = (net.spec, net.input) == (case.net.spec, case.net.input)
    if unchanged or plan.output != case.plan.output:
        return None
    sides = [max(p.field.size) if p.field and p.field.size else None for p in (case.plan, plan)]
    changes = {name: Effect(getattr(case.plan, name), getattr(plan, name))
               for name in ("params", "macs", "memory")}  # fmt: skip
    return Remedy(rules, net, {**changes, "field": Effect(*sides)})


def remedies(case: Case, *candidates: tuple[str, ...]) -> tuple[Remedy, ...]:
    """The candidates that apply, in their order; those that multiply the MACs come last, the
    dearest at the end.
    """
    helpful = [remedy for rules in candidates if (remedy := tried(case, *rules)) is not None]
    return tuple(sorted(helpful, key=_dearness))


def _dearness(remedy: Remedy) -> float:
    """How many times the MACs it costs; 1 for all that cost less than `DEAR` times as many."""
    ratio = remedy.changes["macs"].ratio
    return ratio if ratio and ratio >= DEAR else 1.0
