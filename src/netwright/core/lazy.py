"""Packages that load a module when a name of it is first used, and that list when called."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["Lazy", "lazy"]


class Lazy(ModuleType):
    """A package whose names live in modules not loaded yet; `units()` lists what it holds."""

    _homes: dict[str, str]
    _names: str

    def __getattr__(self, name: str) -> Any:
        home = self._homes.get(name)
        if home is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{self.__name__}.{home}"), name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._homes})

    def __call__(self, pattern: str = "*") -> list[str]:
        home, _, function = self._names.partition(":")
        return getattr(import_module(home), function)(self.__name__.rpartition(".")[2], pattern)


def lazy(
    package: str, homes: dict[str, str], names: str = "netwright.nets.catalogue:names"
) -> None:
    """Makes `package` lazy; `homes` is module -> names in it.

    `names` is the `module:function` that lists what it holds, given its name and a pattern.
    """
    module = sys.modules[package]
    known = {name: home for home, names in homes.items() for name in names.split()}
    module.__class__ = Lazy
    vars(module).update(_homes=known, _names=names, __all__=sorted(known))
