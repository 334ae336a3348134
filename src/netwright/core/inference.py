"""Bytes of values alive at once in inference, by who holds them and until when."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from netwright.core.cost import NOTHING

if TYPE_CHECKING:
    from netwright.core.plan import Plan, Row

__all__ = ["inference_peak"]

INPUT = -1
"""The net's own input, where rows are called by their index."""


def inference_peak(plan: Plan) -> Any:
    """Most bytes of values alive at once, the net's input and output included.

    A value lives until its last reader is through, and until the outermost part that was given
    it is through: so long Python holds an argument. The input stays; a view takes nothing.
    What a unit needs inside (a padded input, indices, attention scores) is taken to be what it
    keeps for its gradient.

    It is what a built net needs whose activations do not work in place (`build` lets some).
    Left out are workspaces of kernels, and what a unit makes and lets go of on its way, such as
    the products that a `WeightedSum` adds up.
    """
    rows = [(i, row) for i, row in enumerate(plan.rows) if not row.auxiliary]
    rules = {i: row.unit.kept(*row.inputs, y=row.output) or NOTHING for i, row in rows}
    storage = {INPUT: INPUT}
    for i, row in rows:
        is_view = rules[i].view or row.unit.idle
        storage[i] = storage[row.sources[0]] if is_view else i
    ending = _endings(rows, storage)
    item = plan.item * plan.batch
    alive = peak = prod(plan.input) * item
    for i, row in rows:
        if storage[i] == i:
            alive += row.elements * item
        inside = 0 if row.unit.idle else rules[i].own(plan.item, plan.batch * row.copies)
        peak = max(peak, alive + inside)
        alive -= sum([plan.rows[value].elements * item for value in ending.get(i, ())])
    return peak


def _endings(rows: Sequence[tuple[int, Row]], storage: dict[int, int]) -> dict[int, list[int]]:
    """Row -> the values that are let go after it; what the net gives is not among them."""
    names = {i: row.path.split(".") for i, row in rows}
    through = {tuple(names[i][:n]): i for i, _ in rows for n in range(len(names[i]) + 1)}
    last: dict[int, int] = {}
    for i, row in rows:
        last.setdefault(storage[i], i)
        for source in row.sources:
            if source != INPUT:
                part = tuple(names[i][: _shared(names[i], names[source]) + 1])
                value = storage[source]
                last[value] = max(last[value], through[part])
    ending: dict[int, list[int]] = {}
    for value, i in last.items():
        if value not in {INPUT, storage[rows[-1][0]]}:
            ending.setdefault(i, []).append(value)
    return ending


def _shared(names: list[str], others: list[str]) -> int:
    """How many names both paths begin with."""
    count = 0
    for name, other in zip(names, others, strict=False):
        if name != other:
            break
        count += 1
    return count
