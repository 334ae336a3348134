"""In which ways the choices of an open spec can be made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

from netwright.core.choice import Choice, outer
from netwright.errors import SpecError

__all__ = ["count", "every_choice", "ways"]


def every_choice(value: Any, where: str = "") -> Iterator[tuple[str, Choice]]:
    """(name, choice) of all choices, those inside options behind the one they depend on."""
    for name, choice in outer(value, where):
        yield name, choice
        for i, option in enumerate(choice.options):
            for inner, other in every_choice(option, f"{name}={i}"):
                if other.name:
                    raise SpecError(f"the choice {other.name!r} stands inside another; only "
                                    "outer ones can share a name")  # fmt: skip
                yield inner, other


def count(choice: Choice) -> int:
    """In how many ways a choice is settled, with those inside its options."""
    ways = [math.prod([count(inner) for _, inner in outer(option)]) for option in choice.options]
    return sum(ways)


def ways(value: Any, where: str) -> Iterator[dict[str, int]]:
    """All ways to settle a value: options by the names of the choices that it depends on."""
    own = dict(outer(value, where))
    for options in product(*[range(len(choice.options)) for choice in own.values()]):
        inner = [list(ways(choice.options[option], f"{name}={option}"))
                 for (name, choice), option in zip(own.items(), options, strict=True)]  # fmt: skip
        for more in product(*inner):
            taken = dict(zip(own, options, strict=True))
            for others in more:
                taken |= others
            yield taken
