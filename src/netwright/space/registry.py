"""The names of search spaces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import cache
from inspect import signature
from typing import Any, cast

from netwright.core.kinds import Kind, argument_kinds, shown
from netwright.core.lazy import load
from netwright.core.net import Net
from netwright.core.text import first_sentence
from netwright.errors import SpecError, UnknownName, nearest
from netwright.nets.registry import Entry, entry
from netwright.space.search_space import Space

__all__ = ["about", "find", "named", "names", "options"]

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


def about(name: str) -> str:
    """What the nets of the space of that name are, in a sentence.

    >>> about("nasbench201")
    'The cells of NAS-Bench-201 in its net for CIFAR'
    """
    names()
    return first_sentence(_makes[name].__doc__)


def find(space: str | Space | Net, **options: Any) -> Space:
    """The search space of that name, with these of its options; or that of a net with choices
    in it (`Choice`).

    Raises `UnknownName` with near names, of spaces and of options; `SpecError` for an option of
    another kind.

    >>> find("nasbench201").size
    15625
    """
    if isinstance(space, Space | Net):
        if options:
            raise SpecError(f"options {', '.join(options)} are for a space by its name; got "
                            f"{shown(space, 80)}, which has all it takes")  # fmt: skip
        return space if isinstance(space, Space) else _of_choices(space)
    if not isinstance(space, str):
        raise SpecError(f"a search space is a name, a Space or a Net with choices; got {space!r}")
    if space not in names():
        raise UnknownName(f"{nearest('space', space, _makes)}; `netwright search`, or "
                          "nw.spaces(), lists all")  # fmt: skip
    if not options:
        return _plain(space)
    takes = _takes(space, options.get("frame", ""))
    for word, value in options.items():
        if word not in takes:
            raise nearest(f"option of {space}", word, takes)
        if not takes[word].holds(_frozen(value)):
            raise SpecError(f"{space}: {word} is {shown(value, 80)}, wanted {takes[word].wanted}")
    return _makes[space](**options)


def _of_choices(net: Net) -> Space:
    from netwright.space.choices import ChoiceSpace

    return ChoiceSpace(net)


def _frozen(value: Any) -> Any:
    """Tuples for what may be a list or has names, as its kind tells only tuples."""
    if not isinstance(value, list | tuple):
        return value
    return tuple([_frozen(item) for item in cast("Sequence[Any]", value)])


@cache
def _plain(name: str) -> Space:
    """Kept, with what it has learnt about its codes."""
    return _makes[name]()


def options(name: str, frame: object = "") -> list[str]:
    """The options that the space of that name takes, those of its frame among them, a registered
    net; none for an unknown name.

    frame: another net than the space's own

    >>> options("nasbench101"), "classes" in options("darts")
    (['vertices', 'width', 'depth', 'classes', 'input'], True)
    """
    return [*_takes(name, frame)] if name in names() else []


def _takes(name: str, frame: object) -> dict[str, Kind]:
    """The options of a space, each with what it may hold."""
    own = argument_kinds(_makes[name])
    parameters = signature(_makes[name]).parameters
    if len(own) == len(parameters):
        return own
    frames = argument_kinds(entry(str(frame or parameters["frame"].default)).make)
    inner = {word: kind for word, kind in frames.items() if word != "genotype"}
    return own | {"input": argument_kinds(Entry.__call__)["input"]} | inner | own
