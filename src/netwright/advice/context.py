"""Findings about what units see: layers behind the point where all of the input is seen."""

from __future__ import annotations

from netwright.advice.finding import Case, Finding, Remedy, remedies, shares
from netwright.core.classifier import classifiers
from netwright.core.operation import Kind, Sliding
from netwright.core.plan import Row
from netwright.core.shape import show

__all__ = ["border", "critical", "idle", "outgrown", "unproductive"]


STEMS = (
    ("no-first-pool",),
    ("stem-stride-1",),
    ("no-first-pool", "stem-stride-1"),
    ("no-first-pool", "stem-stride-1", "stem-3x3"),
)
"""Ways to keep the resolution longer; the last is Root-ResNet's (arXiv:1810.08425)."""


def _window(row: Row) -> Sliding | None:
    """The window of a row that multiplies and is no pool."""
    weighs = row.macs and row.unit.kind is not Kind.POOLING
    return row.unit.sliding(row.input) if weighs else None


def _least(case: Case, row: Row) -> tuple[int, ...] | None:
    """The smallest field among what a row reads, an axis; None where that is global."""
    fields = [(1,) * len(case.seen) if s is None else s.field.least for s in case.sources(row)]
    sides = [field for field in fields if field is not None]
    if len(sides) < len(fields):
        return None
    return tuple(min(sizes) for sizes in zip(*sides, strict=True))


def idle(case: Case) -> list[Row]:
    """Convolutions that can relate nothing new: every path before them sees it all already.

    Richter et al. 2021 (arXiv:2106.12307): such layers learn next to nothing.
    """
    rows: list[Row] = []
    for _, row in case.rows():
        if row.macs == 0 or len(row.input) != len(case.seen) + 1:
            continue
        least = _least(case, row)
        if least is not None and all(a >= b for a, b in zip(least, case.seen, strict=True)):
            rows.append(row)
    return rows


def critical(case: Case) -> Row | None:
    """The first convolution along whose every path more than what is to be seen was read."""
    for _, row in case.rows():
        least = row.field.least
        if not row.macs or least is None or len(least) != len(case.seen):
            continue
        if all(a > b for a, b in zip(least, case.seen, strict=True)):
            return row
    return None


def border(case: Case) -> Row | None:
    """The first convolution along whose longest path all that is to be seen was read before."""
    for _, row in case.rows():
        if row.macs == 0 or len(row.input) != len(case.seen) + 1:
            continue
        sizes = [source.field.size for source in case.sources(row) if source is not None]
        if any(s and all(a >= b for a, b in zip(s, case.seen, strict=True)) for s in sizes):
            return row
    return None


def unproductive(case: Case) -> Finding | None:
    """Layers that work on maps whose every position sees everything already."""
    rows = idle(case)
    if not rows:
        return None
    places = {"border": border(case), "critical": critical(case)}
    after = "".join(f"; the {name} layer is {row.path}" for name, row in places.items() if row)
    text = (
        f"{len(rows)} convolutions from {rows[0].path} on can relate nothing new: on every path "
        f"before them a position sees all of {show(case.seen)}{after}. {shares(case, rows)}"
    )
    return case.finding("field", text, rows, _stems(case, len(rows)))


def _stems(case: Case, count: int) -> tuple[Remedy, ...]:
    """Stems that keep the resolution longer, and the net without its last, idle stages; those
    after which fewer convolutions are idle.
    """
    tail = _tail(case, {row.path for row in idle(case)})
    fixes = remedies(case, *STEMS, *([tail] if tail else []))
    return tuple([remedy for remedy in fixes if len(idle(case.with_net(remedy.net))) < count])


def _tail(case: Case, useless: set[str]) -> tuple[str, ...]:
    """Rules that take away the last stages of which every sliding convolution is useless, but
    never the one that says the classes.
    """
    stages: dict[str, list[str]] = {}
    ends = {path.partition(".")[0] for path in classifiers(case.net)}
    for _, row in case.rows():
        if row.path.partition(".")[0] in ends:
            continue
        window = _window(row)
        if window is not None and len(row.input) == len(case.seen) + 1:
            slides = stages.setdefault(row.path.partition(".")[0], [])
            slides += [row.path] if max(window.kernel) > 1 or row.path in useless else []
    gone: list[str] = []
    for stage, slides in reversed(stages.items()):
        if not {*slides} <= useless:
            break
        gone.append(f"without:{stage}")
    return tuple(gone) if len(gone) < len(stages) else ()


def outgrown(case: Case) -> Finding | None:
    """Convolutions whose kernel is larger than the map: taps that only ever meet padding."""
    rows: list[Row] = []
    for _, row in case.rows():
        window = _window(row)
        if window is None or len(row.input) != len(case.seen) + 1:
            continue
        reach = [d * (k - 1) + 1 for k, d in zip(window.kernel, window.dilation, strict=True)]
        sides = row.input[-len(reach) :]  # of a sequence of maps, those of a map
        if any(r > n and r > 1 for r, n in zip(reach, sides, strict=True)):
            rows.append(row)
    if not rows:
        return None
    text = (
        f"{len(rows)} convolutions from {rows[0].path} on have a kernel larger than their map of "
        f"{show(rows[0].input)}: some taps only ever meet padding. {shares(case, rows)}"
    )
    tail = _tail(case, {row.path for row in rows})
    fixes = remedies(case, *STEMS[:2], *([tail] if tail else []))
    less = [
        remedy
        for remedy in fixes
        if (left := outgrown(case.with_net(remedy.net))) is None or len(left.paths) < len(rows)
    ]
    return case.finding("map", text, rows, tuple(less))
