"""Spaces of one net and what can be made of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import product
from typing import ClassVar

from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.errors import NetwrightError, SpecError
from netwright.nets.registry import find
from netwright.space.search_space import Digit, Digits, Space

__all__ = ["Variants", "starting"]


class Variants(Space):
    """Nets that are made of one, under names of their own that end with their codes; codes that
    make the same net are one function, and the one of the fewest changes stands for them.

    To know which these are all codes are looked at once, so a space has few: some thousands.

    name: of the space
    start: the net that is changed
    digits: the choices, the first option of each for no change
    """

    sound: ClassVar[bool] = True

    def __init__(self, name: str, start: Net, digits: Sequence[Digit]) -> None:
        self.start = start
        self._variants: dict[Digits, Net | None] = {}
        super().__init__(name, digits)

    def changed(self, choices: Digits) -> Net:
        """What the choices make of the net; a `NetwrightError` where that cannot be."""
        raise NotImplementedError

    def build(self, choices: Digits) -> Net:
        net = self.variant(choices)
        if net is None:
            raise SpecError(f"{self.write(choices)!r} of {self.name} stands for no net")
        return net.but(name=f"{self.start.name}+{self.name}:{self.write(choices)}")

    def read(self, net: Net) -> Digits:
        name, _, code = net.name.rpartition(f"+{self.name}:")
        choices = self.choices(code) if name == self.start.name else None
        if choices is None or not self.legal(choices) or self.build(choices) != net:
            raise SpecError(f"{net.name} is no net of {self.name}, which are those made of "
                            f"{self.start.name} and read by their names")  # fmt: skip
        return choices

    def legal(self, choices: Digits) -> bool:
        return self.arranged(choices) == choices and self.variant(choices) is not None

    def reduced(self, choices: Digits) -> Digits:
        net = self.variant(choices)
        return choices if net is None else self._first[net.hash]

    def variant(self, choices: Digits) -> Net | None:
        """What the choices make of the net; None where it cannot be planned, or gives something
        else.
        """
        if choices not in self._variants:
            try:
                net = self.changed(choices)
                same = net.plan().output == self.start.plan().output
            except NetwrightError:
                self._variants[choices] = None
            else:
                self._variants[choices] = net if same else None
        return self._variants[choices]

    @cached_property
    def _first(self) -> dict[str, Digits]:
        """The hash of a net -> the choices of the fewest changes that make it."""
        first = dict[str, Digits]()
        every = product(*[range(len(digit.options)) for digit in self.digits])
        for choices in sorted(every, key=lambda choices: sum(map(bool, choices))):
            if self.legal(choices) and (net := self.variant(choices)) is not None:
                first.setdefault(net.hash, choices)
        return first


def starting(net: Net | str, classes: int | None = None, input: Shape | None = None) -> Net:
    """A net, or the registered one of that name at these classes and this input if given."""
    given = {} if classes is None else {"classes": classes}
    return find(net, input=input, **given) if isinstance(net, str) else net
