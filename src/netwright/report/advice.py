"""Advice as text and as a record."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase
from typing import Any, Protocol

from netwright.core.net import Net
from netwright.core.shape import show
from netwright.report.numbers import UNITS, human, human_bytes
from netwright.report.table import wrapped

__all__ = ["advice_record", "advice_text", "mark"]

LEAST = 0.005
"""Part of a total whose change is worth a word."""

KEYS = {"memory": "memory_bytes"}
"""What records call a total by."""

TITLES = {
    "field": "layers that see everything already",
    "map": "kernels larger than their map",
    "head": "a heavy dense head",
    "cost": "a hot spot",
    "width": "width without rank",
    "bias": "biases without effect",
    "align": "widths that kernels pad",
}


class _Change(Protocol):
    """A total before and after."""

    @property
    def before(self) -> Any: ...
    @property
    def after(self) -> Any: ...


class _Finding(Protocol):
    """Something that costs more than it gives."""

    @property
    def kind(self) -> str: ...
    @property
    def said(self) -> str: ...
    @property
    def paths(self) -> tuple[str, ...]: ...
    @property
    def share(self) -> float: ...
    @property
    def remedies(self) -> Sequence[Any]: ...


def mark(finding: int, remedy: int) -> str:
    """What a remedy is called: `1a` is the first of the first finding.

    >>> mark(0, 0), mark(2, 1)
    ('1a', '3b')
    """
    return f"{finding + 1}{ascii_lowercase[remedy]}"


def advice_text(net: Net, findings: Sequence[_Finding], width: int | None = 96) -> str:
    """Findings one after another, each with its remedies and what they change."""
    lines = [f"{net.name}  {show(net.input)}"]
    for i, finding in enumerate(findings):
        lines += ["", f"{i + 1}. {TITLES[finding.kind]}"]
        lines += wrapped("   " + finding.said, width, 3)
        for j, remedy in enumerate(finding.remedies):
            texts = (
                f"   {mark(i, j)}  {' '.join(remedy.rules)}",
                "       " + _changes(remedy.changes),
            )
            lines += [line for text in texts for line in wrapped(text, width, 9)]
    ends = wrapped(UNITS, width) if findings else ["nothing to mend"]
    return "\n".join([*lines, "", *ends])


def _changes(changes: dict[str, _Change]) -> str:
    words = [
        f"{name} {_shown(name, change.before)} to {_shown(name, change.after)}{_times(change)}"
        for name, change in changes.items()
        if _counts(change)
    ]
    return ", ".join(words) or f"no total changes by {100 * LEAST:g}%"


def _counts(change: _Change) -> bool:
    """Whether a total changes by more than `LEAST`."""
    if not change.before or change.after is None:
        return change.before != change.after
    return abs(change.after / change.before - 1) >= LEAST


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "all"
    return human_bytes(value) if name == "memory" else human(value)


def _times(change: _Change) -> str:
    if not change.before or change.after is None:
        return ""
    times = change.after / change.before
    return f" ({times:.3g}x)" if times >= 2 else f" ({100 * (times - 1):+.1f}%)"


def advice_record(net: Net, findings: Sequence[_Finding]) -> dict[str, Any]:
    """Findings and remedies for JSON; a remedy's net is not in it, its rules make it."""
    return {
        "name": net.name,
        "input": list(net.input),
        "findings": [
            {
                "kind": finding.kind,
                "said": finding.said,
                "paths": list(finding.paths),
                "share": finding.share,
                "remedies": [
                    {
                        "mark": mark(i, j),
                        "rules": list(remedy.rules),
                        "changes": {
                            KEYS.get(name, name): {"before": change.before, "after": change.after}
                            for name, change in remedy.changes.items()
                        },
                    }
                    for j, remedy in enumerate(finding.remedies)
                ],
            }
            for i, finding in enumerate(findings)
        ],
    }
