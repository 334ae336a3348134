"""The walk that all interpreters share: blocks are expanded, wiring hands values from part to
part, units compute.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar

from netwright.core.bounds import DEEPEST, PARTS
from netwright.core.graph import Frozen, Shared, Tap, TimeDistributed
from netwright.core.shape import Shape, show
from netwright.core.spec import Block, Spec, Unit
from netwright.core.wiring import Wiring
from netwright.errors import NetwrightError, ShapeError

__all__ = ["Interpreter", "Shapes", "below", "expanded", "need_inputs", "output_shape"]

Value = TypeVar("Value")


@lru_cache(maxsize=4096)
def expanded(block: Block, *xs: Shape) -> Spec:
    """The spec that `block` stands for at these input shapes; cached, for nets repeat blocks."""
    return block.expand(*xs)


def need_inputs(spec: Unit | Block, count: int) -> None:
    """Raise `ShapeError` where a unit or block that does not join gets several inputs, or none."""
    if count != 1 and not spec.joins:
        raise ShapeError(f"{spec!r} takes one input, got {count}")


def below(path: str, name: str) -> str:
    """The path of the part of that name of what stands at `path`."""
    return f"{path}.{name}" if path else name


class Interpreter(Generic[Value]):
    """Carries values through a spec: shapes, tensors, the signals of a plan.

    A subclass says how to read the shape of a value (`shape_of`) and what a unit computes
    (`unit`). Where the wiring means more to it than how values flow, it overrides the method for
    that kind: `tap`, `frozen`, `shared`, `time_distributed`, or `flow` for all others.
    """

    _visited: int = 0

    def shape_of(self, value: Value) -> Shape:
        """The shape of a value, batch left out."""
        raise NotImplementedError

    def unit(self, unit: Unit, path: str, xs: tuple[Value, ...]) -> Value:
        """The output of the unit at `path` for the inputs `xs`."""
        raise NotImplementedError

    def wiring(self, wiring: Wiring, path: str, xs: tuple[Value, ...]) -> Value:
        """The output of the wiring at `path` for the inputs `xs`, by the method for its kind."""
        if path.count(".") >= DEEPEST:
            raise self.fault(ShapeError(f"parts are nested at most {DEEPEST} deep"), path)
        return wiring.accept(self, path, xs)

    def flow(self, wiring: Wiring, path: str, xs: tuple[Value, ...]) -> Value:
        """What values become that flow through the parts of wiring."""
        try:
            return wiring.flow(*xs, run=self.run(wiring, path))
        except ShapeError as error:
            raise self.fault(error, path) from None

    def tap(self, tap: Tap, path: str, xs: tuple[Value, ...]) -> Value:
        """The inputs again; its head gets them too, where this interpreter runs heads."""
        return self.flow(tap, path, xs)

    def frozen(self, frozen: Frozen, path: str, xs: tuple[Value, ...]) -> Value:
        """What a part makes that does not learn."""
        return self.flow(frozen, path, xs)

    def shared(self, shared: Shared, path: str, xs: tuple[Value, ...]) -> Value:
        """What a part makes whose weights stand at several places of the net."""
        return self.flow(shared, path, xs)

    def time_distributed(self, wiring: TimeDistributed, path: str, xs: tuple[Value, ...]) -> Value:
        """What a part makes of every step of a sequence, as a sequence."""
        shapes = tuple([self.shape_of(x) for x in xs])
        if len(xs) != 1 or len(shapes[0]) < 2:
            got = ShapeError(f"TimeDistributed takes one (T, F) or (T, C, ...), got {show(shapes)}")
            raise self.fault(got, path)
        step = self.step(xs[0])
        return self.steps(wiring.flow(step, run=self.run(wiring, path)), xs[0])

    def step(self, value: Value) -> Value:
        """One time step of the sequence `value`."""
        raise NotImplementedError

    def steps(self, value: Value, like: Value) -> Value:
        """The sequence whose every step is such a `value`, as long as the sequence `like`."""
        raise NotImplementedError

    def run(self, wiring: Wiring, path: str) -> Callable[..., Value]:
        """The function `run(name, *values)` by which `Wiring.flow` gets the output of a part."""
        parts = dict(wiring.parts)
        prefix = path + "." if path else ""

        def run(name: str, *xs: Value) -> Value:
            part = parts.get(name)
            if part is None or not isinstance(part, (Unit, Block, Wiring)):
                part = wiring.part(name)
            return self(part, path if name == "join" else prefix + name, xs)

        return run

    def __call__(self, spec: Spec, path: str, xs: tuple[Value, ...]) -> Value:
        self._visited += 1
        if self._visited > PARTS:
            raise self.fault(ShapeError(f"a net has at most {PARTS:,} parts"), path)
        while isinstance(spec, Block):
            spec = self.expand(spec, path, xs)
        if isinstance(spec, Unit):
            return self.unit(spec, path, xs)
        if isinstance(spec, Wiring):
            return self.wiring(spec, path, xs)
        raise NetwrightError(f"at {path}: {spec!r} is neither unit, block nor wiring")

    def expand(self, block: Block, path: str, xs: tuple[Value, ...]) -> Spec:
        """The spec that the block at `path` stands for at the shapes of its inputs `xs`."""
        try:
            need_inputs(block, len(xs))
            return expanded(block, *[self.shape_of(x) for x in xs])
        except ShapeError as error:
            raise self.fault(error, path) from None

    def fault(self, error: ShapeError, path: str) -> ShapeError:
        """The error, with `path` as its place unless it has one."""
        if error.path is None:
            error.path = path or "the net"
        return error


class Shapes(Interpreter[Shape]):
    """Carries shapes through a spec; nothing but output shapes is computed."""

    def shape_of(self, value: Shape) -> Shape:
        return value

    def step(self, value: Shape) -> Shape:
        return value[1:]

    def steps(self, value: Shape, like: Shape) -> Shape:
        return (like[0], *value)

    def unit(self, unit: Unit, path: str, xs: tuple[Shape, ...]) -> Shape:
        try:
            need_inputs(unit, len(xs))
            return unit.shape(*xs)
        except ShapeError as error:
            raise self.fault(error, path) from None


def output_shape(spec: Spec, *xs: Shape, path: str = "") -> Shape:
    """The output shape of any spec for inputs of these shapes."""
    return Shapes()(spec, path, xs)
