"""Everything that is shipped, found by looking: units, blocks, nets; and nets from JSON, which may
hold any of it.
"""

from __future__ import annotations

import pkgutil
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module

from netwright.core.codec import decode_net
from netwright.core.net import Net
from netwright.core.spec import SPECS, Block, Unit
from netwright.nets import registry

__all__ = ["from_json", "load", "names"]


@cache
def load() -> None:
    """Import every module of `core`, `units` and `blocks`, so that every spec is known by name."""
    for room in ("netwright.core", "netwright.units", "netwright.blocks"):
        for module in pkgutil.iter_modules(import_module(room).__path__, room + "."):
            import_module(module.name)


def names(room: str, pattern: str = "*") -> list[str]:
    """Names of all `units`, `blocks` or `nets` that match a shell pattern, sorted.

    >>> names("blocks", "Basic*")
    ['BasicBlock']
    """
    if room == "nets":
        return registry.names(pattern)
    load()
    base = {"units": Unit, "blocks": Block}[room]
    return sorted(
        n for n, kind in SPECS.items() if issubclass(kind, base) and fnmatchcase(n, pattern)
    )


def from_json(text: str) -> Net:
    """The net that `Net.to_json` wrote.

    Raises `CodecError` for text that is not a net, was written by a newer version, or was
    changed after it was written (drop its "hash" to accept a change made by hand).

    >>> import netwright as nw
    >>> nw.from_json(nw.net("lenet5").to_json()) == nw.net("lenet5")
    True
    """
    load()
    return decode_net(text)
