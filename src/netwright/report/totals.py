"""What a whole net amounts to, as names and texts."""

from __future__ import annotations

from typing import Any

from netwright.core.plan import Plan
from netwright.core.shape import show
from netwright.report.layers import field_text, jump_text
from netwright.report.numbers import duration, exact, human, human_bytes, is_number

__all__ = ["fit_total", "latency_total", "totals", "training_totals"]


def training_totals(plan: Plan, optimiser: str) -> list[tuple[str, str]]:
    """What a training step needs, as (name, text) pairs."""
    need = plan.training(optimiser)
    parts = [
        f"weights {human_bytes(need.weights)}",
        f"gradients {human_bytes(need.gradients)}",
        f"{optimiser} {human_bytes(need.state)}",
        f"kept for the backward pass {human_bytes(need.saved)}",
    ]
    unknown = f"; not known of: {', '.join(need.unknown)}" if need.unknown else ""
    text = f"{human_bytes(need.peak)} at most: {', '.join(parts)}"
    return [("training", f"{text} ({plan.dtype}, batch {plan.batch}){unknown}")]


def latency_total(plan: Plan) -> list[tuple[str, str]]:
    """The predicted latency, as a (name, text) pair; nothing before `netwright calibrate`."""
    if plan.partial or not is_number(plan.macs):
        return []
    latency = plan.latency()
    if latency is None:
        return []
    around = f"{duration(latency.low)} to {duration(latency.high)}"
    text = f"{duration(latency.seconds)} predicted, {around}"
    return [("latency", f"{text} (batch {plan.batch}; {latency.setting})")]


def fit_total(plan: Plan, limit: int, optimiser: str | None) -> list[tuple[str, str]]:
    """The largest batch within `limit` bytes, as a (name, text) pair."""
    how = f"training with {optimiser}" if optimiser else "inference"
    most = plan.largest_batch(limit, optimiser)
    return [("fits", f"a batch of {most:,} in {human_bytes(limit)}, {how} ({plan.dtype})")]


def totals(plan: Plan) -> list[tuple[str, str]]:
    """What the whole net amounts to, as (name, text) pairs."""
    kept = f", and {exact(plan.buffers)} buffers" if plan.buffers else ""
    pairs = [
        ("params", _both(plan.params) + kept),
        ("MACs", f"{_both(plan.macs)}, {human(2 * plan.macs)} FLOPs"),
        ("other ops", _both(plan.ops)),
        ("activations", _both(plan.activations) + " elements, of units that multiply"),
        ("memory", _memory(plan)),
        ("field", _field(plan)),
        ("output", f"{show(plan.output)} from {show(plan.input)}"),
    ]  # fmt: skip
    if plan.partial:
        pairs.append(("not counted", ", ".join(plan.partial)))
    if plan.hooks:
        pairs.append(("hooks not run", ", ".join(plan.hooks)))
    return pairs


def _memory(plan: Plan) -> str:
    """Weights and activations in inference; no peak can be told of sizes that are symbols."""
    weights = f"weights {human_bytes(plan.weight_bytes)}"
    if not is_number(plan.macs + sum(plan.input)):
        return f"{weights} ({plan.dtype})"
    peak = f"peak of activations {human_bytes(plan.peak_bytes)}"
    return f"{human_bytes(plan.memory)}: {weights}, {peak} ({plan.dtype}, batch {plan.batch})"


def _both(count: Any) -> str:
    """Every digit, and the short form where that is shorter."""
    return exact(count) if human(count) == exact(count) else f"{exact(count)} ({human(count)})"


def _field(plan: Plan) -> str:
    row = plan.last_map
    if row is None:
        return "all: no map is left"
    return (
        f"{field_text(row.field)} of {show(plan.input[1:])}, jump {jump_text(row.field)}; "
        f"last map {show(row.output)}"
    )
