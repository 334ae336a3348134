"""Choices: what a spec leaves open, for a search to settle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

from netwright.core.kinds import shown
from netwright.core.spec import Spec, Value
from netwright.errors import SpecError

__all__ = ["Choice", "settled"]


class Choice(Value):
    """One of several values, wherever a spec takes one: a unit or block, a number, a text.

    A spec that holds one is open: `nw.space(net)` makes a search space of it, and its fields are
    checked when the choice is made. Every choice is its own, wherever it stands; those of one
    `name` are made together.

    >>> from netwright import Conv, MaxPool, Sequential
    >>> Sequential(Choice(Conv(8), MaxPool(2)), Conv(Choice(16, 32), Choice(3, 5)))
    Sequential(Choice(Conv(8), MaxPool(2)), Conv(Choice(16, 32), Choice(3, 5)))
    """

    options: tuple[Any, ...]
    name: str

    is_open: ClassVar[bool] = True

    def __init__(self, *options: Any, name: str = "") -> None:
        object.__setattr__(self, "options", options)
        object.__setattr__(self, "name", name)
        self.__post_init__()
        if not options:
            raise SpecError("Choice has no option; give it at least one")
        for i, option in enumerate(self.options):
            if option in self.options[:i]:
                raise SpecError(f"Choice has the option {shown(option)} twice; once will do")

    def arguments(self) -> list[tuple[str | None, Any]]:
        named = [("name", self.name)] if self.name else []
        return [*((None, option) for option in self.options), *named]


Choose = Callable[[Choice, str], Any]
"""(choice, where it stands) -> the option to take."""


def settled(value: Any, choose: Choose, where: str = "") -> Any:
    """A field's value, or a spec, with an option in the place of every choice; the options are
    settled too. Specs are checked when they are whole.
    """
    if isinstance(value, Choice):
        return settled(choose(value, where), choose, where)
    if type(value) is tuple:
        items = cast("tuple[Any, ...]", value)
        names = [_word(item, i) for i, item in enumerate(items)]
        return tuple([settled(item, choose, f"{where}.{name}" if where else name)
                      for item, name in zip(items, names, strict=True)])  # fmt: skip
    if not isinstance(value, Spec) or not value.is_open:
        return value
    made = object.__new__(type(value))
    for name in value.field_names:
        inner = where if name == "parts" else f"{where}.{name}" if where else name
        object.__setattr__(made, name, settled(getattr(value, name), choose, inner))
    made.__post_init__()
    return made


def _word(item: Any, i: int) -> str:
    """How a path names an item of a tuple: a part by its name."""
    named = type(item) is tuple and len(cast("tuple[Any, ...]", item)) == 2
    return str(item[0]) if named and isinstance(item[0], str) else str(i)
