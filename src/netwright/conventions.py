"""What other tools count as multiply-adds, from the rows of one plan.

Totals differ because tools add what their authors took for work: `torchinfo` every parameter
of a layer at each of its positions, so biases and normalisation; `ptflops` (aten) biases;
`ultralytics-thop` four operations an element of batch normalisation, and average pooling;
`fvcore` two an element, and pooling to a given size. Ours are `FlopCounterMode`'s FLOPs / 2.

Reproduced are torchinfo 1.8.0, ptflops 0.7.5, ultralytics-thop 2.2.3 and fvcore 0.1.5, for
convolutional nets whose layers and pools are modules: most of these tools see no functions.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from netwright.core.plan import Plan, Row
from netwright.errors import nearest
from netwright.units import (
    AdaptiveAvgPool,
    AvgPool,
    BatchNorm,
    Conv,
    GlobalAvgPool,
    Linear,
    TransposedConv,
)

__all__ = ["TOOLS", "count_as"]


def _torchinfo(row: Row) -> Any:
    cost = row.unit.cost(*row.inputs, y=row.output) if _weighs(row) else row
    positions = prod(row.output[1:]) if isinstance(row.unit, Conv | TransposedConv) else 1
    return cost.params * positions * row.copies


def _ptflops(row: Row) -> Any:
    return row.macs + (prod(row.output) * row.copies if _has_bias(row) else 0)


def _thop(row: Row) -> Any:
    extra = 0
    if isinstance(row.unit, BatchNorm):
        extra = (4 if row.unit.affine else 2) * row.elements
    elif isinstance(row.unit, AdaptiveAvgPool | AvgPool | GlobalAvgPool):
        extra = row.ops + row.elements
    return row.macs + extra


def _fvcore(row: Row) -> Any:
    extra = 0
    if isinstance(row.unit, BatchNorm):
        extra = 2 * row.elements
    elif isinstance(row.unit, AdaptiveAvgPool | GlobalAvgPool):
        extra = prod(row.input) * row.copies
    return row.macs + extra


def _weighs(row: Row) -> bool:
    return isinstance(row.unit, BatchNorm | Conv | Linear | TransposedConv)


def _has_bias(row: Row) -> bool:
    return isinstance(row.unit, Conv | Linear | TransposedConv) and row.unit.bias


TOOLS: dict[str, Callable[[Row], Any]] = {
    "fvcore": _fvcore,
    "netwright": lambda row: row.macs,
    "ptflops": _ptflops,
    "torchinfo": _torchinfo,
    "ultralytics-thop": _thop,
}
"""What each tool counts for a row."""


def count_as(plan: Plan, tool: str) -> Any:
    """The multiply-adds that a tool tells for the net of a plan; see `TOOLS`.

    >>> import netwright as nw
    >>> plan = nw.net("resnet50").plan()
    >>> plan.macs, count_as(plan, "torchinfo") - plan.macs
    (4089184256, 54120)
    """
    if tool not in TOOLS:
        raise nearest("tool", tool, TOOLS)
    rule = TOOLS[tool]
    return sum(rule(row) for row in plan if not row.auxiliary)
