"""The names of search spaces."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache
from inspect import Parameter, signature
from typing import Any

from netwright.core.lazy import load
from netwright.core.net import Net
from netwright.errors import SpecError, nearest
from netwright.nets.registry import entry
from netwright.space.search_space import Space

__all__ = ["find", "named", "names", "options"]

Make = Callable[..., Space]

_makes: dict[str, Make] = {}


def named(name: str) -> Callable[[Make], Make]:
    """Registers the decorated function of a few options as the space of that name."""

    def register(make: Make) -> Make:
        _makes[name] = make
        return make

    return register


def names(pattern: str = "*") -> list[str]:
    """Names of all search spaces that match a shell pattern, sorted.

    >>> names("nasbench2*")
    ['nasbench201']
    """
    load(__name__.rpartition(".")[0])
    return sorted(name for name in _makes if fnmatchcase(name, pattern))


def find(space: str | Space | Net, **options: Any) -> Space:
    """The search space of that name, with these of its options; or that of a net with choices
    in it (`Choice`).

    Raises `UnknownName` with near names.

    >>> find("nasbench201").size
    15625
    """
    if isinstance(space, Space):
        return space
    if isinstance(space, Net):
        from netwright.space.choices import ChoiceSpace

        return ChoiceSpace(space)
    if not isinstance(space, str):
        raise SpecError(f"a search space is a name, a Space or a Net with choices; got {space!r}")
    if space not in names():
        raise nearest("space", space, _makes)
    return _plain(space) if not options else _makes[space](**options)


@cache
def _plain(name: str) -> Space:
    """Kept, with what it has learnt about its codes."""
    return _makes[name]()


def options(name: str, frame: str = "") -> list[str]:
    """The options that the space of that name takes, those of its frame among them, a registered
    net; none for an unknown name.

    frame: another net than the space's own

    >>> options("nasbench101"), "classes" in options("darts")
    (['vertices', 'width', 'depth', 'classes', 'input'], True)
    """
    if name not in names():
        return []
    own = signature(_makes[name]).parameters
    words = [word for word, parameter in own.items() if parameter.kind != Parameter.VAR_KEYWORD]
    if len(words) < len(own):
        inner = signature(entry(frame or own["frame"].default).make).parameters
        words += ["input", *[word for word in inner if word != "genotype"]]
    return list(dict.fromkeys(words))
