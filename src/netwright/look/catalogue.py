"""The names of the looks."""

from __future__ import annotations

from fnmatch import fnmatchcase
from importlib import import_module

__all__ = ["names"]


def names(room: str, pattern: str = "*") -> list[str]:
    """Names of everything in `nw.look` that match a shell pattern, sorted.

    >>> names("look", "occ*")
    ['occlusion']
    """
    return [name for name in import_module("netwright.look").__all__ if fnmatchcase(name, pattern)]
