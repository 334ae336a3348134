"""Our keys and those of other libraries: from the tables of families, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module

from torch import Tensor

from netwright.core.net import Net
from netwright.errors import WeightsError
from netwright.nets import registry
from netwright.weights.table import Place, Where, read

__all__ = ["LIBRARIES", "family", "has_table", "key_map", "to_peer"]

LIBRARIES = ("torchvision", "timm", "pytorchcv", "efficientnet_lite_pytorch")


def family(net: Net) -> str:
    """The family that the registry knows the net's name in; empty for other nets."""
    families = registry.FAMILIES.items()
    return next((name for name, members in families if net.origin in members.split()), "")


def _table(net: Net, library: str) -> str | None:
    if library not in LIBRARIES:
        raise WeightsError(f"no keys of {library!r}; there are: {', '.join(LIBRARIES)}")
    tables = import_module(f"netwright.weights.{library}_keys").TABLES
    return tables.get(net.origin, tables.get(family(net)))


def has_table(net: Net, library: str) -> bool:
    """Whether we know what that library calls the weights of this net's family."""
    return _table(net, library) is not None


def key_map(net: Net, library: str, keys: list[str]) -> dict[str, Place]:
    """Where each of our `keys` is in that library; keys that it has no name for are left out,
    as those of a rewritten net may be.

    Raises `WeightsError` where there is no table for the net's family.
    """
    text = _table(net, library)
    if text is None:
        tables = import_module(f"netwright.weights.{library}_keys").TABLES
        raise WeightsError(f"no keys of {library} for {net.name}; there are tables for: "
                           f"{', '.join(sorted(tables))}")  # fmt: skip
    table, where = read(text), Where(net)
    places: dict[str, Place] = {}
    taken: set[str] = set()
    for key in keys:
        with suppress(LookupError):  # a part or a place that their net does not have
            place = table.place(key, where)
            if place and place.key not in taken:
                places[key] = place
                taken.add(place.key)
    return places


def to_peer(net: Net, state: Mapping[str, Tensor], library: str) -> dict[str, Tensor]:
    """A state_dict of ours as that library's own: its keys, its shapes.

    Raises `WeightsError` where it has no name for some weight.
    """
    places = key_map(net, library, list(state))
    lost = [key for key in state if key not in places]
    if lost:
        raise WeightsError(f"{library} has no name for {len(lost)} of {len(state)} weights of "
                           f"{net.name}, such as {lost[0]}")  # fmt: skip
    return {
        place.key: state[key].reshape(place.shape(tuple(state[key].shape)))
        for key, place in places.items()
    }
