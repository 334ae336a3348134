"""Plans: one row a unit, with its shapes, cost and receptive field, and the totals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from netwright.core.field import Field
from netwright.core.shape import Shape, show
from netwright.core.spec import Unit
from netwright.errors import SpecError

if TYPE_CHECKING:
    from netwright.core.memory import Training
    from netwright.speed.latency import Latency

__all__ = ["ALIASES", "DTYPES", "Plan", "Row", "Stored", "of_bytes"]

ALIASES = {"fp64": "float64", "fp32": "float32", "fp16": "float16", "half": "float16",
           "bf16": "bfloat16"}  # fmt: skip
DTYPES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1,
          "complex64": 8, "complex128": 16}  # fmt: skip
"""Bytes an element, by the name of the type."""


class Stored(NamedTuple):
    """Bytes of a row's parameters and buffers, and of those parameters that learn."""

    weights: Any = 0
    learnt: Any = 0


class Row(NamedTuple):
    """One unit of a plan.

    `sources` are the indices of the rows its inputs come from, -1 the net's own input;
    `auxiliary` marks rows that only training runs, `frozen` those that do not learn; `copies`
    is how many times an image passes, once a step of time: `macs` and `ops` are of all of
    them, shapes of one; `stored` are its weights' bytes where they have types of their own,
    as a foreign module's may.
    """

    path: str
    unit: Unit
    inputs: tuple[Shape, ...]
    output: Shape
    params: Any
    macs: Any
    ops: Any
    buffers: Any
    field: Field
    sources: tuple[int, ...]
    auxiliary: bool = False
    copies: Any = 1
    frozen: bool = False
    stored: Stored | None = None

    @property
    def input(self) -> Shape:
        """Shape of the (first) input."""
        return self.inputs[0]

    def holding(self, params: int, buffers: int, stored: Stored) -> Row:
        """The row with these weights, of these bytes, beside its own; frozen if none learns."""
        own = self.stored or Stored()
        both = Stored(own.weights + stored.weights, own.learnt + stored.learnt)
        params, buffers = self.params + params, self.buffers + buffers
        frozen = params > 0 and both.learnt == 0
        return self._replace(params=params, buffers=buffers, frozen=frozen, stored=both)

    @property
    def elements(self) -> Any:
        """Elements of the output, of all copies."""
        return prod(self.output) * self.copies


@dataclass(frozen=True)
class Plan:
    """What a net is at one input shape: rows in the order they run, and totals.

    Shapes and counts are of one image; bytes are of `batch` images in `dtype`. Of a foreign
    module, `partial` are operations that nobody gave a rule, and `hooks` those left out.
    """

    name: str
    input: Shape
    output: Shape
    rows: tuple[Row, ...]
    dtype: str = "float32"
    batch: int = 1
    partial: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        """In a line, for prompts and debuggers: the rows would be pages."""
        counts = f"{len(self)} rows, {self.params} params, {self.macs} MACs"
        return f"<Plan of {self.name} at {show(self.input)}: {counts}>"

    def table(self, depth: int | None = None) -> str:
        """The plan as text: a row a unit, or a row a group of units `depth` names deep."""
        from netwright.report.table import plan_table

        return plan_table(self, depth)

    def row(self, path: str) -> Row:
        """The row at `path`."""
        for row in self.rows:
            if row.path == path:
                return row
        from netwright.errors import nearest

        raise nearest("row", path, [row.path for row in self.rows])

    @cached_property
    def params(self) -> Any:
        """Learnt numbers, shared ones once."""
        return sum([row.params for row in self.rows])

    @cached_property
    def macs(self) -> Any:
        """Multiply-adds of convolution, dense and attention products; FLOPs are twice as many."""
        return sum([row.macs for row in self.rows if not row.auxiliary])

    @cached_property
    def ops(self) -> Any:
        """Other operations: element-wise, normalisation, pooling."""
        return sum([row.ops for row in self.rows if not row.auxiliary])

    @cached_property
    def buffers(self) -> Any:
        """Elements that are stored but not learnt, such as running means."""
        return sum([row.buffers for row in self.rows])

    @cached_property
    def activations(self) -> Any:
        """Elements of the outputs of all units that multiply (Radosavovic et al. 2020)."""
        return sum([row.elements for row in self.rows if row.macs != 0 and not row.auxiliary])

    @cached_property
    def last_map(self) -> Row | None:
        """The last row whose output has positions, before they are pooled away: a map, or tokens;
        None where there is none.
        """
        return next((row for row in reversed(self.rows) if _is_map(row)), None)

    @cached_property
    def field(self) -> Field | None:
        """Receptive field of the last map; `global` or `unknown` where it was lost on the way."""
        return self.last_map.field if self.last_map else None

    @property
    def item(self) -> int:
        """Bytes an element."""
        return DTYPES[self.dtype]

    def stored(self, row: Row) -> Stored:
        """Bytes of a row's weights: in their own types, or the plan's where it is a spec's."""
        if row.stored is not None:
            return row.stored
        learnt = 0 if row.frozen else row.params * self.item
        return Stored((row.params + row.buffers) * self.item, learnt)

    @cached_property
    def weight_bytes(self) -> Any:
        """Bytes of parameters and buffers."""
        return sum([self.stored(row).weights for row in self.rows])

    @cached_property
    def peak_bytes(self) -> int:
        """Most bytes of values alive at once in inference, as a built net runs, input and output
        included; activations that work in place take less. See `netwright.core.inference`.
        """
        from netwright.core.inference import inference_peak

        return inference_peak(self)

    @property
    def memory(self) -> int:
        """Bytes that inference needs: parameters, buffers and the activations' peak."""
        return self.weight_bytes + self.peak_bytes

    def latency(self) -> Latency | None:
        """Predicted seconds of the batch in inference on this machine, with the error; None
        before `netwright calibrate` was run for the plan's type.
        """
        from netwright.speed.latency import latest, predict

        rates = latest(self.dtype)
        return predict(self, rates) if rates else None

    def training(self, optimiser: str = "adamw") -> Training:
        """Bytes that a training step of the batch needs; see `netwright.core.memory`.

        >>> from netwright import net
        >>> net("resnet18").plan(batch=64).training("adamw").saved // 2**20
        1353
        """
        from netwright.core.memory import training

        return training(self, optimiser)

    def largest_batch(self, limit: int, optimiser: str | None = None) -> int:
        """The most images at once within `limit` bytes, in training with that optimiser or in
        inference. Raises `BudgetError` where one is too many.
        """
        from netwright.core.memory import largest_batch

        return largest_batch(self, limit, optimiser)


def _is_map(row: Row) -> bool:
    """Whether the output has positions; (1, 1, C) has none, and (1, C) only if it may have."""
    field, sizes = row.field, [size != 1 for size in row.output]
    lost = field.axes is None and not field.whole
    positions = field.axes is not None or sum(sizes) > 1 or (lost and any(sizes[1:]))
    return positions and not row.auxiliary


def of_bytes(dtype: str, batch: Any) -> str:
    """The type's own name (`float16` for `fp16`); `SpecError` for an unknown one or a batch
    that is none.
    """
    dtype = ALIASES.get(dtype, dtype)
    if dtype not in DTYPES:
        raise SpecError(f"dtype {dtype!r} is unknown; there are: {', '.join(DTYPES)}")
    if isinstance(batch, str | float) or (isinstance(batch, int) and batch < 1):
        raise SpecError(f"batch is {batch!r}, wanted an integer of at least 1")
    return dtype
