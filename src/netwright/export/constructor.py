"""The constructor call that makes a module again, and the source of layers that PyTorch lacks."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterable
from typing import Any

from torch import nn

from netwright import layers
from netwright.errors import NetwrightError
from netwright.export.tree import REQUIRED, Call, Form

__all__ = ["Inlined", "call_of"]

_NOISE = re.compile(r"  # type: ignore(\[[^\]]*\])?")
_STARTS = {(layers.LayerScale, "factor"), (nn.PReLU, "init")}
"""Parameters that only say where a weight starts."""
_AN_AXIS = {"dilation", "kernel_size", "output_padding", "output_size", "padding",
            "scale_factor", "stride"}  # fmt: skip
"""Parameters of PyTorch's layers that take one number for all axes."""


def call_of(module: nn.Module) -> Call:
    """The call that makes a module like this one, weights aside.

    >>> dict(zip("in out kernel".split(), call_of(nn.Conv2d(3, 8, 5, padding=2)).args))
    {'in': 3, 'out': 8, 'kernel': 5}
    """
    kind = type(module)
    if kind is nn.Sequential:
        inner = tuple([call_of(child) for child in module.children()])
        params = tuple([(f"*{i}", REQUIRED) for i in range(len(inner))])
        return Call(Form("nn.Sequential", params, kind), inner)
    plain = kind.__module__.startswith("torch.")
    params, args = list[tuple[str, Any]](), list[Any]()
    for name, parameter in inspect.signature(kind).parameters.items():
        starred = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if starred or name in ("device", "dtype", "generator") or (kind, name) in _STARTS:
            continue
        params.append((name, parameter.default))
        args.append(_simple(module, name, _attribute(module, name, parameter.default)))
    _drop_plain_stride(params, args)
    return Call(Form(f"nn.{kind.__name__}" if plain else kind.__name__, tuple(params), kind),
                tuple(args))  # fmt: skip


def _attribute(module: nn.Module, name: str, default: Any) -> Any:
    """What the parameter of that name was given. Weights that take its name say it too: of a
    flag whether they are there; a number they only started from is left at its default.
    """
    if not hasattr(module, name):
        raise NetwrightError(
            f"{type(module).__name__} cannot be written as source: it does not tell its {name!r}"
        )
    value = getattr(module, name)
    if isinstance(default, bool) and not isinstance(value, bool):
        return value is not None
    return default if isinstance(value, nn.Parameter) else value


def _simple(module: nn.Module, name: str, value: Any) -> Any:
    """A value as one writes it: modules as calls, one number for all axes alike."""
    if isinstance(value, nn.Module):
        return call_of(value)
    if isinstance(value, list):
        value = tuple(value)
    if name in _AN_AXIS and _slides(module) and isinstance(value, tuple) and len(set(value)) == 1:
        value = value[0]
    if name == "normalized_shape" and len(value) == 1:
        value = value[0]
    if name == "scale_factor" and isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None or isinstance(value, bool | int | float | str | tuple):
        return value
    raise NetwrightError(
        f"{type(module).__name__} cannot be written as source: its {name} is a "
        f"{type(value).__name__}"
    )


def _slides(module: nn.Module) -> bool:
    homes = [kind.__module__.removeprefix("torch.nn.modules.") for kind in type(module).__mro__]
    return any(home in ("conv", "pooling", "upsampling") for home in homes)


def _drop_plain_stride(params: list[tuple[str, Any]], args: list[Any]) -> None:
    """A pool's stride is its kernel unless it is given."""
    names = [name for name, _ in params]
    if ("stride", None) in params and "kernel_size" in names:
        at = names.index("stride")
        if args[at] == args[names.index("kernel_size")]:
            args[at] = None


class Inlined:
    """The sources of classes and of what they need from their modules, needed ones first."""

    def __init__(self, classes: Iterable[type]) -> None:
        self.sources: list[str] = []
        self.imports: set[str] = set()
        self._seen: set[tuple[str, str]] = set()
        for kind in classes:
            self._take(kind.__module__, kind.__name__)

    def _take(self, module: str, name: str) -> None:
        if (module, name) in self._seen:
            return
        self._seen.add((module, name))
        home = sys.modules[module]
        for node in _tree(home).body:
            if name in _bound(node):
                self._define(home, node, name)
                return

    def _define(self, home: Any, node: ast.stmt, name: str) -> None:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("netwright"):
            self._take(_loaded(node.module or ""), name)
            return
        if isinstance(node, ast.Import | ast.ImportFrom):
            alias = next(a for a in node.names if (a.asname or a.name) == name)
            origin = f"from {node.module} " if isinstance(node, ast.ImportFrom) else ""
            self.imports.add(f"{origin}import {ast.unparse(alias)}")
            return
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and hasattr(home, inner.id):
                self._take(home.__name__, inner.id)
        self.sources.append(_source(home, node))


def _loaded(module: str) -> str:
    __import__(module)
    return module


def _tree(home: Any) -> ast.Module:
    return ast.parse(inspect.getsource(home))


def _bound(node: ast.stmt) -> list[str]:
    """The names a statement at the top of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.AnnAssign):
        return [ast.unparse(node.target)]
    return [ast.unparse(target) for target in getattr(node, "targets", [])]


def _source(home: Any, node: ast.stmt) -> str:
    lines: list[str | None] = [*inspect.getsource(home).splitlines()]
    for inner in node.body if isinstance(node, ast.ClassDef) else ():
        if isinstance(inner, ast.FunctionDef) and inner.name == "extra_repr":
            at = slice(inner.lineno - 2, inner.end_lineno)  # and the empty line before it
            lines[at] = [None] * len(lines[at])
    first = min([node.lineno, *[d.lineno for d in getattr(node, "decorator_list", [])]])
    text = "\n".join(line for line in lines[first - 1 : node.end_lineno] if line is not None)
    return _NOISE.sub("", textwrap.dedent(text))
