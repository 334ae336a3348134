"""Formulas: what nets and blocks cost where sizes are symbols."""
# sympy's own types are partly unknown
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from fractions import Fraction
from math import lcm, prod
from typing import Any, NamedTuple

import sympy

from netwright.core.kinds import is_symbolic, shown
from netwright.core.net import Net
from netwright.core.operation import Kind
from netwright.core.plan import Plan, Row
from netwright.core.planner import Planner, Signal, plan_spec
from netwright.core.shape import Shape, show
from netwright.core.spec import Block, Spec, Unit
from netwright.errors import NetwrightError, SpecError
from netwright.symbols.expression import read
from netwright.symbols.sizes import sizes, symbol

__all__ = ["COUNTS", "Formula", "formula", "halving", "latex", "ratios", "short", "sizes", "symbol"]

TERMS = 2000
"""So many terms at most are multiplied out."""
COUNTS = ("params", "macs", "ops", "activations")
"""What has a formula, by its name in a `Plan`."""


class Formula(NamedTuple):
    """What a spec costs, each a sympy expression or a number.

    `ops` are element-wise, normalisation and pooling operations, `activations` the elements
    of the outputs of units that multiply.
    """

    input: Shape
    output: Shape
    params: Any
    macs: Any
    ops: Any
    activations: Any


def halving(net: Net) -> Shape:
    """The net's input with sides of symbols: multiples of its stride, so that halving is exact.
    Of a sequence the steps are T.

    >>> from netwright import net
    >>> halving(net("resnet50")), halving(net("conv_lstm"))
    ((3, 32*H, 32*W), (T, 1, 4*H, 4*W))
    """
    rows = net.plan().rows
    before: list[Any] = [symbol("T"), *net.input[1:2]] if _has_steps(rows) else [net.input[0]]
    count = len(net.input) - len(before)
    names: str = {1: "L", 2: "HW", 3: "THW"}.get(count, "")
    # In a sequence the axis of time comes before those of the sides, or a row is of one step.
    jumps = [jump[-count:] for row in rows if len(jump := row.field.jump or ()) >= count > 0]
    steps = [lcm(*[int(Fraction(jump[i]).numerator) for jump in jumps]) for i in range(count)]
    free: list[Any] = [symbol(name) * step for name, step in zip(names, steps, strict=False)]
    return (*before, *free)


def _has_steps(rows: tuple[Row, ...]) -> bool:
    """Whether a net reads its input step by step, time first."""
    first = [row for row in rows if -1 in row.sources]
    timed = (Kind.ATTENTION, Kind.RECURRENT)
    return any(row.copies != 1 or row.unit.kind in timed for row in first)


def formula(what: str | Spec | Net | Plan, input: Any = ("C", "H", "W")) -> Formula:
    """The formulas of a unit, block, wiring or net at an input of symbols, simplified.

    A text is read; names in it that are no spec are symbols. Halving an odd number rounds, so
    write sizes that a net halves as multiples: `"32*H"` gives a polynomial where `"H"` gives
    floors of floors. Raises `ShapeError` where branches meet whose sizes are equal only for
    some H.

    >>> import netwright as nw
    >>> nw.formula("Conv(N, 3, bias=False)").macs
    9*C*H*N*W
    """
    if isinstance(what, str):
        spec = read(what, symbol)
        if not isinstance(spec, Spec):
            raise SpecError(f"{shown(what)} is no spec; wanted one such as 'Conv(N, 3)'")
        return formula(spec, input)
    if isinstance(what, Plan):
        plan = what
    else:
        spec = what.spec if isinstance(what, Net) else what
        plan = plan_spec(spec, sizes(input), planner=_Planner)
    counts = [short(getattr(plan, name)) for name in COUNTS]
    return Formula(plan.input, tuple([short(size) for size in plan.output]), *counts)


class _Planner(Planner):
    """Plans where sizes are symbols; says which unit has no formula for them."""

    def unit(self, unit: Unit, path: str, xs: tuple[Signal, ...]) -> Signal:
        with _formula(unit, path, xs):
            return super().unit(unit, path, xs)

    def expand(self, block: Block, path: str, xs: tuple[Signal, ...]) -> Spec:
        with _formula(block, path, xs):
            return super().expand(block, path, xs)


@contextmanager
def _formula(spec: Spec, path: str, xs: tuple[Signal, ...]) -> Generator[None]:
    """Python refuses a symbol where a number is counted or compared with; that is told in the
    words of the spec.
    """
    try:
        yield
    except NetwrightError:
        raise
    except (TypeError, ValueError, AttributeError, ArithmeticError, LookupError) as error:
        values = zip(spec.field_names, spec.values(), strict=True)
        wanted = [f"{name} is {value}" for name, value in values if _symbols(value)]
        wanted += [f"its input is {show(x.shape)}" for x in xs if _symbols(x.shape)]
        if not wanted:
            raise
        at = f"at {path}: " if path else ""
        raise SpecError(
            f"{at}{type(spec).__name__} has no formula where {' and '.join(wanted)}; "
            "give numbers there, as in 'Conv(64, 3)' or --input 64,56,56"
        ) from error


def _symbols(value: Any) -> bool:
    """Whether there is a symbol in a field or shape."""
    if isinstance(value, tuple):
        return any(map(_symbols, value))
    return is_symbolic(value)


def ratios(a: Formula, b: Formula) -> dict[str, Any]:
    """What `a` costs over what `b` costs, simplified; what costs nothing in `b` is left out.

    >>> from netwright import Conv, Sequential
    >>> three, five = (Conv(symbol("C"), k, bias=False) for k in (3, 5))
    >>> ratios(formula(Sequential(three, three)), formula(five))["params"]
    18/25
    """
    pairs = {name: (getattr(a, name), getattr(b, name)) for name in COUNTS}
    return {
        name: short(sympy.sympify(over) / sympy.sympify(under))
        for name, (over, under) in pairs.items()
        if under != 0
    }


def latex(expression: Any) -> str:
    """An expression as LaTeX."""
    return sympy.latex(expression)


def short(expression: Any) -> Any:
    """The shortest way to write an expression: as it is, expanded, factored or in parts."""
    if not isinstance(expression, sympy.Expr):
        return expression
    if _terms(expression) > TERMS:
        return expression
    parts = sympy.expand(sympy.cancel(expression)) if expression.is_rational_function() else 0
    ways = [expression, sympy.expand(expression), sympy.factor(expression), parts or expression]
    return min(ways, key=lambda way: len(str(way)))


def _terms(expression: Any) -> int:
    """How many terms there are at most once all products are multiplied out."""
    inner = [_terms(part) for part in expression.args]
    if expression.is_Add:
        return min(sum(inner), TERMS + 1)
    if expression.is_Pow and expression.exp.is_Integer and inner[0] > 1:
        return min(inner[0] ** min(abs(int(expression.exp)), TERMS), TERMS + 1)
    return min(prod(inner), TERMS + 1) if expression.is_Mul else 1
