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

from netwright.core.operation import Kind
from netwright.core.plan import Plan, Row
from netwright.errors import nearest

__all__ = ["TOOLS", "count_as"]


def _torchinfo(row: Row) -> Any:
    own = row.unit.kind in (*_PRODUCTS, Kind.BATCH_NORM)
    params = _params(row) if own else row.params
    positions = prod(row.output[1:]) if row.unit.kind is Kind.CONVOLUTION else 1
    return params * positions * row.copies


def _ptflops(row: Row) -> Any:
    return row.macs + (row.elements if _has_bias(row) else 0)


def _thop(row: Row) -> Any:
    extra = 0
    if row.unit.kind is Kind.BATCH_NORM:
        extra = (4 if _params(row) else 2) * row.elements
    elif row.unit.kind is Kind.AVERAGING:
        extra = row.ops + row.elements
    return row.macs + extra


def _fvcore(row: Row) -> Any:
    extra = 0
    if row.unit.kind is Kind.BATCH_NORM:
        extra = 2 * row.elements
    elif row.unit.kind is Kind.AVERAGING and row.unit.sliding(row.input) is None:
        extra = prod(row.input) * row.copies
    return row.macs + extra


_PRODUCTS = (Kind.CONVOLUTION, Kind.DENSE)


def _params(row: Row) -> Any:
    """The parameters that the unit computes with, its own or those of another."""
    return row.unit.cost(*row.inputs, y=row.output).params


def _has_bias(row: Row) -> bool:
    return row.unit.kind in _PRODUCTS and row.unit.biased


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
