"""What changed between two nets, as text and as a record."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import Any

from netwright.core.cost import CONVENTION
from netwright.core.diff import Change, Diff
from netwright.core.shape import show
from netwright.core.spec import Spec
from netwright.report.layers import field_text
from netwright.report.numbers import UNITS, exact, human_bytes, ratio
from netwright.report.record import SCHEMA, totals_record
from netwright.report.table import LEAST, shortened, text_table, wrapped

__all__ = ["diff_record", "diff_text"]

NAME, MARGIN = 32, 15
"""Letters of a net's name, which says its rewrites, over its column, and those beside the two."""

TOTALS = (
    ("params", "params"),
    ("macs", "MACs"),
    ("ops", "other ops"),
    ("activations", "activations"),
)


def diff_text(diff: Diff, width: int | None = None) -> str:
    """Each part that changed with what that costs, then the totals of both nets."""
    alike = groupby(diff.changes, lambda change: replace(change, path=""))
    blocks = [_block([change.path for change in run], change) for change, run in alike]
    if any(diff.elsewhere):
        blocks.append(f"parts that stayed, at other shapes\n    {_costs(*diff.elsewhere)}")
    if not diff:
        blocks.append("no difference")
    lines = [line for text in "\n\n".join(blocks).split("\n") for line in wrapped(text, width, 6)]
    return "\n".join([*lines, "", *_totals(diff, width), "", *wrapped(UNITS, width)])


def _block(paths: list[str], change: Change) -> str:
    """The same change at several neighbouring places."""
    where = paths[0] or "the whole net"
    if len(paths) > 1:
        where = f"{where} to {paths[-1]}, {len(paths)} times"
    sides = [f"  - {change.before!r}"] if change.before else []
    sides += [f"  + {change.after!r}"] if change.after else []
    each = " each" if len(paths) > 1 else ""
    return "\n".join([where, *sides, f"    {_costs(change.d_params, change.d_macs)}{each}"])


def _costs(params: int, macs: int) -> str:
    return f"params {params:+,}, MACs {macs:+,}"


def _totals(diff: Diff, width: int | None) -> list[str]:
    names = diff.before.name, diff.after.name
    rows = [["input", show(diff.before.input), show(diff.after.input), "", ""]]
    for name, title in TOTALS:
        old, new = diff.pair(name)
        rows.append([title, exact(old), exact(new), f"{new - old:+,}", ratio(new, old)])
    old, new = diff.pair("memory")
    sign = "-" if new < old else "+"
    sizes = [human_bytes(size, even=True) for size in (old, new, abs(new - old))]
    rows.append(["memory", *sizes[:2], sign + sizes[2], ratio(new, old)])
    fields = [field_text(plan.field) if plan.field else "all" for plan in (diff.before, diff.after)]
    rows.append(["field", *fields, "", ""])
    room = NAME if width is None else max(LEAST, min(NAME, (width - MARGIN) // 2))
    heads = [shortened(name, room) for name in names]
    return text_table(["", *heads, "change", "x"], rows, width=width, spare=(3, 4))


def diff_record(diff: Diff) -> dict[str, Any]:
    """The changes and both totals, for JSON; specs as their own JSON."""
    params, macs = diff.elsewhere
    return {
        "schema": SCHEMA,
        "convention": CONVENTION,
        "changes": [
            {
                "path": change.path,
                "before": _encoded(change.before),
                "after": _encoded(change.after),
                "d_params": change.d_params,
                "d_macs": change.d_macs,
            }
            for change in diff.changes
        ],
        "elsewhere": {"d_params": params, "d_macs": macs},
        "before": {"name": diff.before.name, "input": list(diff.before.input),
                   **totals_record(diff.before)},
        "after": {"name": diff.after.name, "input": list(diff.after.input),
                  **totals_record(diff.after)},
    }  # fmt: skip


def _encoded(spec: Spec | None) -> Any:
    from netwright.core.codec import encode

    return encode(spec) if spec else None
