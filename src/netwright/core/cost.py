"""What a unit costs, and the one convention by which it is counted."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["BOTH", "CONVENTION", "INPUT", "NOTHING", "OUTPUT", "VIEW", "Cost", "Kept"]

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


class Kept(NamedTuple):
    """What a training step keeps of one unit until its gradient has been taken.

    `input`, `output`: its inputs, its output, which others may keep too; `view`: its output
    is its input in another shape. `each` are further elements an image, `once` a step; of an
    image also `indices` of 8 bytes and `flags` of one; `table` are bytes a step, whatever the
    type of the values. Parameters and buffers are there anyway.
    """

    input: bool = False
    output: bool = False
    view: bool = False
    each: Any = 0
    once: Any = 0
    indices: Any = 0
    flags: Any = 0
    table: Any = 0

    def own(self, item: int, images: Any) -> Any:
        """Bytes beside inputs and output, of `images` images at `item` bytes an element."""
        each = self.each * item + self.indices * 8 + self.flags
        return images * each + self.once * item + self.table


NOTHING = Kept()
INPUT = Kept(input=True)
OUTPUT = Kept(output=True)
BOTH = Kept(input=True, output=True)
VIEW = Kept(view=True)
