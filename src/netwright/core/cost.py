"""What a unit costs, and the one convention by which it is counted."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["CONVENTION", "Cost"]

CONVENTION = (
    "MACs: multiply-adds of convolution, dense and attention products, one image; "
    "FLOPs = 2 MACs. Element-wise, normalisation and pooling operations stand apart (ops); "
    "adding a bias is free."
)


class Cost(NamedTuple):
    """Parameters, multiply-adds, other operations and buffer elements of one unit.

    Integers, or sympy expressions where the shapes are.
    """

    params: Any = 0
    macs: Any = 0
    ops: Any = 0
    buffers: Any = 0
