"""Choices: what a spec leaves open, for a search to settle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, cast

from netwright.core.kinds import shown
from netwright.core.spec import Spec, Value, is_open
from netwright.core.wiring import Wiring
from netwright.errors import SpecError

__all__ = ["Choice", "items", "outer", "settled"]


class Choice(Value):
    """One of several values, wherever a spec takes one: a unit or block, a number, a text.

    A spec that holds one is open: `nw.space(net)` makes a search space of it, and its fields are
    checked when the choice is made. Every choice is its own, wherever it stands; those of one
    `name` are made together.

    >>> from netwright import Conv, MaxPool, Sequential
    >>> Sequential(Choice(Conv(8), MaxPool()), Conv(Choice(16, 32), kernel=Choice(3, 5)))
    Sequential(Choice(Conv(8), MaxPool()), Conv(Choice(16, 32), kernel=Choice(3, 5)))
    """

    options: tuple[Any, ...]
    name: str

    is_open: ClassVar[bool] = True

    def __init__(self, *options: Any, name: str = "") -> None:
        object.__setattr__(self, "options", options)
        object.__setattr__(self, "name", name)
        self.__post_init__()

    def check(self) -> None:
        if not self.options:
            raise SpecError("Choice has no option; give it at least one")
        for i, option in enumerate(self.options):
            if option in self.options[:i]:
                raise SpecError(f"Choice has the option {shown(option)} twice; once will do")

    def arguments(self) -> list[tuple[str | None, Any]]:
        named: list[tuple[str | None, Any]] = [("name", self.name)] if self.name else []
        return [*((None, option) for option in self.options), *named]


def settled(value: Any, choose: Callable[[str, Choice], int], where: str = "") -> Any:
    """A field's value, or a spec, with option `choose(name, choice)` in the place of every choice,
    and of those in that option. Specs are checked when they are whole.
    """
    if isinstance(value, Choice):
        taken = choose(value.name or where, value)
        return settled(value.options[taken], choose, f"{value.name or where}={taken}")
    if not is_open(value):
        return value
    inner = [settled(item, choose, path) for path, item in items(value, where)]
    if not isinstance(value, Spec):
        return tuple(inner)
    spec = object.__new__(type(value))
    names = [name for name in value.field_names if name != "parts"]
    for name, item in zip(names, inner, strict=False):
        object.__setattr__(spec, name, item)
    if isinstance(value, Wiring):
        parts = zip(value.names, inner[len(names) :], strict=True)
        object.__setattr__(spec, "parts", tuple(parts))
    spec.__post_init__()
    return spec


def items(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """(path, value) of all that a spec or tuple at the path `where` holds: its fields and parts."""
    prefix = where + "." if where else ""
    if isinstance(value, Spec):
        for name in value.field_names:
            if name != "parts":
                yield prefix + name, getattr(value, name)
        if isinstance(value, Wiring):
            for name, part in value.parts:
                yield prefix + name, part
    elif type(value) is tuple:
        for i, item in enumerate(cast("tuple[Any, ...]", value)):
            yield f"{prefix}{i}", item


def outer(value: Any, where: str = "") -> Iterator[tuple[str, Choice]]:
    """(name, choice) of all choices but those inside options; by its path where it has no name."""
    if isinstance(value, Choice):
        yield value.name or where, value
    elif is_open(value):
        for path, item in items(value, where):
            yield from outer(item, path)
