"""Specs and sizes from text such as `Conv(N, 3, bias=False)` or `2*C`, without running it."""
# pyright: reportUnknownMemberType=false
# operator's types are partly unknown

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from netwright.core.kinds import is_symbolic, shown
from netwright.core.spec import SPECS, Spec
from netwright.errors import NetwrightError, SpecError, nearest

__all__ = ["read"]

_OPERATIONS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: pow,
    ast.USub: operator.neg,
}


def read(text: str, symbol: Callable[[str], Any] | None = None) -> Any:
    """What a text says: a number, a tuple, or a spec by its constructor.

    Other names are given to `symbol`, or refused where there is none. Raises `SpecError`
    with the part that cannot be read, `UnknownName` for a spec that does not exist.

    >>> read("Sequential(Conv(64, 7, stride=2), act=ReLU())")
    Sequential(Conv(64, kernel=7, stride=2), act=ReLU())
    """
    from netwright.nets.catalogue import load

    load()
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return _Reader(text.strip(), symbol).of(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, NetwrightError):
            raise
        raise SpecError(
            f"{shown(text)} cannot be read; wanted a spec such as 'Conv(64, 3)' or a size such "
            "as '2*C'"
        ) from None


class _Reader:
    def __init__(self, text: str, symbol: Callable[[str], Any] | None) -> None:
        self.text, self.symbol = text, symbol

    def of(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=None | bool() | int() | float() | str() as value):
                return value
            case ast.Tuple(elts=items) | ast.List(elts=items):
                return tuple([self.of(item) for item in items])
            case ast.Name(id=name) if name in SPECS or self.symbol is None:
                return self._spec(node, name, [], [])
            case ast.Name(id=name) if self.symbol:
                return self.symbol(name)
            case ast.UnaryOp(op=kind, operand=a) if type(kind) in _OPERATIONS:
                return self._done(node, kind, self.of(a))
            case ast.BinOp(left=a, op=kind, right=b) if type(kind) in _OPERATIONS:
                return self._done(node, kind, self.of(a), self.of(b))
            case ast.Call(func=ast.Name(id=name), args=given, keywords=named):
                return self._spec(node, name, given, named)
            case _:
                raise SpecError(f"{self._quoted(node)} is neither a spec nor a size")

    def _done(self, node: ast.expr, kind: ast.AST, *values: Any) -> Any:
        # A power of plain numbers could fill the memory; sizes never need one.
        numbers = all(type(value) in (int, float) for value in values)
        sizes = all(type(value) in (int, float) or is_symbolic(value) for value in values)
        if not sizes or (numbers and isinstance(kind, ast.Pow)):
            raise SpecError(f"{self._quoted(node)} is no size: it computes with what is no number")
        try:
            value = _OPERATIONS[type(kind)](*values)
        except ZeroDivisionError:
            raise SpecError(f"{self._quoted(node)} divides by zero") from None
        except OverflowError as error:
            raise SpecError(f"{self._quoted(node)} is no size: {error}") from None
        if is_symbolic(value) and value.is_finite is not True:  # such as N / 0
            raise SpecError(f"{self._quoted(node)} divides by zero")
        return value

    def _spec(
        self, node: ast.expr, name: str, given: list[ast.expr], named: list[ast.keyword]
    ) -> Spec:
        if name not in SPECS:
            raise nearest("spec", name, SPECS)
        arguments = [self.of(item) for item in given]
        if any(word.arg is None for word in named):
            raise SpecError(f"{self._quoted(node)}: write fields by their names, without **")
        keywords = {str(word.arg): self.of(word.value) for word in named}
        try:
            return SPECS[name](*arguments, **keywords)
        except TypeError as error:
            raise SpecError(f"{self._quoted(node)}: {error}") from None

    def _quoted(self, node: ast.expr) -> str:
        """The part of the text, as messages show it."""
        return shown(ast.get_source_segment(self.text, node) or self.text)
