"""Formulas: what nets and blocks cost where sizes are symbols."""
# sympy's own types are partly unknown
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

import sympy

from netwright.core.net import Net
from netwright.core.plan import Plan, Row
from netwright.core.planner import plan_spec
from netwright.core.shape import Shape
from netwright.core.spec import Spec
from netwright.errors import ShapeError
from netwright.symbols.expression import read
from netwright.units.attention import Attention, LocalAttention
from netwright.units.conv_lstm import ConvLSTM
from netwright.units.recurrent import Recurrent

__all__ = ["COUNTS", "Formula", "formula", "halving", "latex", "ratios", "short", "sizes", "symbol"]

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


def symbol(name: str) -> sympy.Symbol:
    """The size of that name: a positive integer, the same whenever it is asked for."""
    return sympy.Symbol(name, positive=True, integer=True)


def sizes(input: Any) -> Shape:
    """A shape whose sizes are numbers, symbols, or texts such as `"C"` and `"2*H"`.

    >>> sizes(("C", "2*H", 7))
    (C, 2*H, 7)
    """
    made = tuple([read(size, symbol) if isinstance(size, str) else size for size in input])
    for size in made:
        if not isinstance(size, int | sympy.Expr) or sympy.sympify(size).is_integer is False:
            raise ShapeError(f"{size!r} is no size; wanted a number or a formula such as '2*C'")
    return made


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
    made: list[Any] = [symbol(name) * step for name, step in zip(names, steps, strict=False)]
    return (*before, *made)


def _has_steps(rows: tuple[Row, ...]) -> bool:
    """Whether a net reads its input step by step, time first."""
    first = [row for row in rows if -1 in row.sources]
    timed = (Attention, ConvLSTM, LocalAttention, Recurrent)
    return any(row.copies != 1 or isinstance(row.unit, timed) for row in first)


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
        return formula(read(what, symbol), input)
    if isinstance(what, Plan):
        plan = what
    else:
        plan = plan_spec(what.spec if isinstance(what, Net) else what, sizes(input))
    counts = [short(getattr(plan, name)) for name in COUNTS]
    return Formula(plan.input, tuple([short(size) for size in plan.output]), *counts)


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
    parts = sympy.expand(sympy.cancel(expression)) if expression.is_rational_function() else 0
    ways = [expression, sympy.expand(expression), sympy.factor(expression), parts or expression]
    return min(ways, key=lambda way: len(str(way)))
