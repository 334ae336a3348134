"""The source of layers that PyTorch lacks, with the functions they need and their imports."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterable
from typing import Any

__all__ = ["Inlined"]

_NOISE = re.compile(r"  # type: ignore(\[[^\]]*\])?")


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
