"""Packages that load a module when a name of it is first used, and that list when called."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["Lazy", "lazy", "load"]


@cache
def load(package: str) -> None:
    """Import every module of a package, so that what registers itself there is known."""
    for module in pkgutil.iter_modules(import_module(package).__path__, package + "."):
        import_module(module.name)


class Lazy(ModuleType):
    """A package whose names live in modules not loaded yet; `units()` lists what it holds."""

    _homes: dict[str, str]
    _names: Callable[[str], list[str]] | None

    def __getattr__(self, name: str) -> Any:
        home = self._homes.get(name)
        if home is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{self.__name__}.{home}"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        # A name that its module is called by as well, such as `build`, stays what it is when the
        # import system hangs the module into the package.
        if not (isinstance(value, ModuleType) and name in self._homes):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._homes})

    def __call__(self, pattern: str = "*") -> list[str]:
        if self._names:
            return self._names(pattern)
        return [name for name in sorted(self._homes) if fnmatchcase(name, pattern)]


def lazy(
    package: str, homes: dict[str, str], names: Callable[[str], list[str]] | None = None
) -> None:
    """Makes `package` lazy; `homes` is module -> names in it.

    `names` lists what it holds that matches a shell pattern; without it these are its names.
    """
    module = sys.modules[package]
    modules = {name: home for home, names in homes.items() for name in names.split()}
    module.__class__ = Lazy
    vars(module).update(_homes=modules, _names=names, __all__=sorted(modules))
