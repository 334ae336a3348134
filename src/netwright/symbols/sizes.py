"""Sizes that are symbols."""
# sympy's own types are partly unknown
# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false

from __future__ import annotations

from typing import Any

import sympy

from netwright.core.kinds import shown
from netwright.core.shape import Shape
from netwright.errors import ShapeError
from netwright.symbols.expression import read

__all__ = ["sizes", "symbol"]


def symbol(name: str) -> sympy.Symbol:
    """The size of that name: a positive integer, the same whenever it is asked for."""
    return sympy.Symbol(name, positive=True, integer=True)


def sizes(input: Any) -> Shape:
    """A shape whose sizes are numbers, symbols, or texts such as `"C"` and `"2*H"`.

    >>> sizes(("C", "2*H", 7))
    (C, 2*H, 7)
    """
    sizes = tuple([read(size, symbol) if isinstance(size, str) else size for size in input])
    for size in sizes:
        if not isinstance(size, int | sympy.Expr) or sympy.sympify(size).is_integer is False:
            raise ShapeError(
                f"{shown(size)} is no size; wanted a number or a formula such as '2*C'"
            )
    return sizes
