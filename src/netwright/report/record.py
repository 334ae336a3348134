"""Plans as plain records, for JSON and CSV; the keys are stable within a schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, cast

from netwright.core.cost import CONVENTION
from netwright.core.field import Field
from netwright.core.operation import Sliding
from netwright.core.plan import Plan, Row
from netwright.report.layers import Group, groups

__all__ = [
    "SCHEMA",
    "compare_record",
    "csv_text",
    "group_record",
    "plan_record",
    "row_record",
    "totals_record",
]

SCHEMA = 2
"""Raised when a key changes its meaning or goes."""

RATIOS = ("params", "macs", "ops", "activations", "memory_bytes")


def plan_record(
    plan: Plan, depth: int = 1, optimiser: str | None = None, limit: int | None = None
) -> dict[str, Any]:
    """A plan with its totals, its rows, and groups of rows down to `depth`; with an optimiser
    what training needs, with a limit in bytes the largest batch.
    """
    size = plan.item * plan.batch
    asked: dict[str, Any] = {}
    if optimiser:
        asked["training"] = {"optimiser": optimiser, **asdict(plan.training(optimiser))}
    if limit:
        asked["fits"] = {"bytes": limit, "batch": plan.largest_batch(limit, optimiser)}
    return {
        "schema": SCHEMA,
        "name": plan.name,
        "input": list(plan.input),
        "output": list(plan.output),
        "dtype": plan.dtype,
        "batch": plan.batch,
        "convention": CONVENTION,
        "totals": totals_record(plan),
        **asked,
        "groups": [group_record(group, size) for group in groups(plan.rows, depth)],
        "rows": [row_record(row, size) for row in plan.rows],
    }


def compare_record(plans: Sequence[Plan], reference: Plan) -> dict[str, Any]:
    """Totals of several nets, their ratios to the `reference`, and their stages."""
    nets = list[dict[str, Any]]()
    first = totals_record(reference)
    for plan in plans:
        own = totals_record(plan)
        over = {key: own[key] / first[key] if first[key] else None for key in RATIOS}
        stages = [group_record(group, plan.item * plan.batch) for group in groups(plan.rows)]
        nets.append({"name": plan.name, "input": list(plan.input), "output": list(plan.output),
                     **own, "ratios": over, "groups": stages})  # fmt: skip
    return {"schema": SCHEMA, "convention": CONVENTION, "dtype": plans[0].dtype,
            "batch": plans[0].batch, "nets": nets}  # fmt: skip


def totals_record(plan: Plan) -> dict[str, Any]:
    """The totals of a plan; bytes are of its batch and dtype."""
    return {
        "params": plan.params,
        "buffers": plan.buffers,
        "macs": plan.macs,
        "flops": 2 * plan.macs,
        "ops": plan.ops,
        "activations": plan.activations,
        "weight_bytes": plan.weight_bytes,
        "peak_bytes": plan.peak_bytes,
        "memory_bytes": plan.memory,
        "field": field_record(plan.field) if plan.field else None,
        "partial": list(plan.partial),
        "hooks": list(plan.hooks),
    }


def group_record(group: Group, size: int = 4) -> dict[str, Any]:
    """Rows under one path; `size` is the bytes of an element, times the batch."""
    return {
        "path": group.path,
        "units": len(group.rows),
        "inputs": [list(shape) for shape in group.inputs],
        "output": list(group.output),
        "params": group.params,
        "macs": group.macs,
        "ops": group.ops,
        "memory_bytes": group.elements * size,
        "field": field_record(group.field),
        "auxiliary": group.auxiliary,
    }


def row_record(row: Row, size: int = 4) -> dict[str, Any]:
    """One unit; kernel, stride, padding, dilation and groups are None where nothing slides."""
    window = row.unit.sliding(row.input)
    slides: dict[str, Any] = window._asdict() if window else dict.fromkeys(Sliding._fields)
    return {
        "path": row.path,
        "operation": row.unit.label,
        "inputs": [list(shape) for shape in row.inputs],
        "output": list(row.output),
        "copies": row.copies,
        **slides,
        "params": row.params,
        "macs": row.macs,
        "ops": row.ops,
        "buffers": row.buffers,
        "memory_bytes": row.elements * size,
        "field": field_record(row.field),
        "auxiliary": row.auxiliary,
    }


def field_record(field: Field) -> dict[str, Any]:
    """A receptive field: what it sees locally, an axis, and whether that is all of it."""
    return {
        "status": field.status,
        "size": _plain(field.size),
        "jump": _plain(field.jump),
        "start": _plain(field.start),
        "least": _plain(field.least),
        "density": _plain(field.density),
    }


def _plain(sizes: Sequence[Any] | None) -> list[Any] | None:
    """Fractions as floats; JSON has nothing nearer."""
    return (
        None
        if sizes is None
        else [size if isinstance(size, int) else float(size) for size in sizes]
    )


def csv_text(records: Sequence[dict[str, Any]]) -> str:
    """Records of one kind as CSV: lists joined by `x`, inner records by `name_key` columns."""
    from csv import writer
    from io import StringIO

    out = StringIO()
    table = writer(out, lineterminator="\n")
    flat = [dict(_flat(record)) for record in records]
    names = list(dict.fromkeys(name for record in flat for name in record))
    table.writerow(names)
    table.writerows([[record.get(name, "") for name in names] for record in flat])
    return out.getvalue()


def _flat(record: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _flat(cast("dict[str, Any]", value), f"{above}{key}_")
        else:
            yield above + key, _cell(value)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list | tuple):
        items = cast("Sequence[Any]", value)
        nested = any(isinstance(item, list | tuple) for item in items)
        return ("+" if nested else "x").join(str(_cell(item)) for item in items)
    return value
