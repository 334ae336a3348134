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

    def __getattr__(self, name: str) -> Any:
        home = self._homes.get(name)
        if home is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{self.__name__}.{home}"), name)

    def __call__(self, pattern: str = "*") -> list[str]:
        from netwright import catalogue

        return catalogue.names(self.__name__.rpartition(".")[2], pattern)


def lazy(package: str, homes: dict[str, str]) -> list[str]:
    """Makes `package` lazy; `homes` is module -> names in it. Returns the names, sorted."""
    module = sys.modules[package]
    module.__class__ = Lazy
    module._homes = {name: home for home, names in homes.items() for name in names.split()}
    return sorted(module._homes)
