"""Making plans: signals through a spec, a row a unit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from netwright.core.bounds import check_field, check_map
from netwright.core.cost import Cost
from netwright.core.field import POINT, Axis, Field, Taps, Window
from netwright.core.graph import Frozen, Shared, Tap
from netwright.core.interpret import Interpreter, need_inputs
from netwright.core.plan import Plan, Row, of_bytes
from netwright.core.shape import Shape, show
from netwright.core.spec import Spec, Unit
from netwright.errors import ShapeError

__all__ = ["Planner", "Signal", "facts", "plan_spec"]


class Signal(NamedTuple):
    """What flows through wiring when a plan is made."""

    shape: Shape
    field: Field
    source: int
    copies: Any = 1


@lru_cache(maxsize=8192)
def facts(unit: Unit, xs: tuple[Shape, ...]) -> tuple[Shape, Cost, Window]:
    """Output shape, cost and window of a unit; kept, because nets repeat their units."""
    need_inputs(unit, len(xs))
    y = unit.shape(*xs)
    check_map(y)
    return y, unit.cost(*xs, y=y), unit.window(xs[0]) if len(xs) == 1 else POINT


class Planner(Interpreter[Signal]):
    """Sends signals through a spec and keeps a row a unit."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._auxiliary = self._frozen = False
        self._taps = 0
        self._shared: dict[str, tuple[Spec, list[Cost], bool]] = {}

    def shape_of(self, value: Signal) -> Shape:
        return value.shape

    def unit(self, unit: Unit, path: str, xs: tuple[Signal, ...]) -> Signal:
        try:
            if len(xs) == 1:
                shape, field, source, copies = xs[0]
                shapes, sources = (shape,), (source,)
                output, cost, window = facts(unit, shapes)
                check_field(field, window, output)
                field = field.through(window, output)
            else:
                copies = xs[0].copies
                shapes = tuple([x.shape for x in xs])
                sources = tuple([x.source for x in xs])
                output, cost, _ = facts(unit, shapes)
                field = _WHOLE if unit.sees_all else _joined(xs, output)
            if unit.sees_all:
                field = field._replace(whole=True)
            if unit.uneven:
                field = field._replace(uneven=True)
        except ShapeError as error:
            raise self.fault(error, path) from None
        if copies != 1:
            cost = cost._replace(macs=cost.macs * copies, ops=cost.ops * copies)
        rows = self.rows
        rows.append(Row(path, unit, shapes, output, *cost, field, sources, self._auxiliary,
                        copies, self._frozen))  # fmt: skip
        return Signal(output, field, len(rows) - 1, copies)

    def step(self, value: Signal) -> Signal:
        shape, field, source, copies = value
        axes = (field.axes or ())[1:]
        inner = field._replace(axes=axes) if axes else Field(None, True)
        return Signal(shape[1:], inner, source, copies * shape[0])

    def steps(self, value: Signal, like: Signal) -> Signal:
        time, *positions = like.field.axes or (None,)
        field = value.field
        if time is not None:
            # The body of a sequence without positions, (T, F), sees nothing but its step.
            whole = field.whole if positions else like.field.whole
            field = field._replace(axes=(time, *(field.axes or ())), whole=whole)
        return Signal((like.shape[0], *value.shape), field, value.source, like.copies)

    def tap(self, tap: Tap, path: str, xs: tuple[Signal, ...]) -> Signal:
        before, self._auxiliary = self._auxiliary, True
        self._taps += 1
        try:
            return super().tap(tap, path, xs)
        finally:
            self._auxiliary = before

    def frozen(self, frozen: Frozen, path: str, xs: tuple[Signal, ...]) -> Signal:
        before, self._frozen = self._frozen, True
        try:
            return super().frozen(frozen, path, xs)
        finally:
            self._frozen = before

    def shared(self, shared: Shared, path: str, xs: tuple[Signal, ...]) -> Signal:
        """Walk the body; from the second time on its weights are not counted again."""
        first_row, taps = len(self.rows), self._taps
        y = super().shared(shared, path, xs)
        own = [facts(row.unit, row.inputs)[1] for row in self.rows[first_row:]]
        own = [Cost(cost.params, 0, 0, cost.buffers) for cost in own]
        now = (shared.part("body"), own, self._frozen)
        first = self._shared.setdefault(shared.key, now)
        if first is now:
            return y
        if first[:2] != now[:2]:
            error = ShapeError(
                f"Shared key {shared.key!r} stands for other weights before: "
                f"{first[0]!r}; give this one another key, or the same body and input width"
            )
            raise self.fault(error, path)
        if first[2] != self._frozen:
            error = ShapeError(f"Shared key {shared.key!r} is frozen in one place and learns in "
                               "another; freeze it in both, or give one another key")  # fmt: skip
            raise self.fault(error, path)
        if self._taps > taps:
            error = ShapeError(f"Shared key {shared.key!r} holds a Tap, whose one head would be "
                               "heard twice; put the Tap behind the shared part")  # fmt: skip
            raise self.fault(error, path)
        for i in range(first_row, len(self.rows)):
            self.rows[i] = self.rows[i]._replace(params=0, buffers=0)
        return y

    def fault(self, error: ShapeError, path: str) -> ShapeError:
        error.rows = error.rows or self.rows
        return super().fault(error, path)


def plan_spec(
    spec: Spec,
    input: Shape,
    *,
    name: str = "",
    dtype: str = "float32",
    batch: int = 1,
    planner: type[Planner] = Planner,
) -> Plan:
    """The plan of `spec` for an input of that shape (batch left out).

    Raises `ShapeError` naming the unit that does not fit.
    """
    dtype = of_bytes(dtype, batch)
    for size in input:
        if isinstance(size, bool | float) or (isinstance(size, int) and size < 1):
            raise ShapeError(f"an input of {show(input)} has a size that is no positive integer")
    check_map(input)
    walk = planner()
    axes = tuple([_AXIS for _ in input[1:]]) or None
    y = walk(spec, "", (Signal(tuple(input), Field(axes, whole=axes is None), -1),))
    if isinstance(y, list):
        raise ShapeError(
            f"{name or 'the net'} ends in {len(y)} streams; join them, by Sum or Concat"
        )
    return Plan(name, tuple(input), y.shape, tuple(walk.rows), dtype, batch)


def _joined(xs: tuple[Signal, ...], output: Shape) -> Field:
    """The field of values put together to one of shape `output`; a size of 1 stretches."""
    counts, fields = output[1:], list[Field]()
    for x in xs:
        field = x.field
        if field.axes is not None and x.shape[1:] != counts:
            sizes = list(zip(x.shape[1:], counts, strict=False))
            fits = all(n == m or (n == 1 and isinstance(m, int)) for n, m in sizes)
            if len(sizes) != len(field.axes) or not fits:
                return Field.merge([x.field for x in xs])
            grow = [Taps(((0, 1),) * (1 if n == m else m)) for n, m in sizes]
            field = field.through(tuple(grow), output)
        fields.append(field)
    return Field.merge(fields, counts)


_AXIS = Axis()
_WHOLE = Field(None, whole=True)
