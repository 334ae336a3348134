"""Everything that is shipped, found by looking: units, blocks and the modules that hold them."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from netwright.core.spec import SPECS, Block, Unit

__all__ = ["blocks", "load", "units"]


@cache
def load() -> None:
    """Import every module of `units` and `blocks`, so that every spec is known by name."""
    for room in ("netwright.core", "netwright.units", "netwright.blocks"):
        for module in pkgutil.iter_modules(import_module(room).__path__, room + "."):
            import_module(module.name)


def units() -> list[str]:
    """Names of all units, sorted.

    >>> "Conv" in units()
    True
    """
    load()
    return sorted(name for name, kind in SPECS.items() if issubclass(kind, Unit))


def blocks() -> list[str]:
    """Names of all blocks, sorted.

    >>> "Bottleneck" in blocks()
    True
    """
    load()
    return sorted(name for name, kind in SPECS.items() if issubclass(kind, Block))
