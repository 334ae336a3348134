"""Nets from JSON, which may hold any spec that is shipped."""

from __future__ import annotations

from netwright.core.codec import decode_net
from netwright.core.lazy import load as load_package
from netwright.core.net import Net

__all__ = ["from_json", "load"]


def load() -> None:
    """Import every module of `core`, `units` and `blocks`, so that every spec is known by name."""
    for room in ("netwright.core", "netwright.units", "netwright.blocks"):
        load_package(room)


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
