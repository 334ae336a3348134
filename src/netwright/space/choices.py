"""The search space of a net with choices in it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby
from typing import Any, ClassVar

from netwright.core.choice import Choice, items, outer, settled
from netwright.core.graph import Graph
from netwright.core.net import Net
from netwright.core.spec import is_open
from netwright.core.wiring import Fork, Parallel, Sum
from netwright.errors import ShapeError, SpecError
from netwright.space.choice_rows import Rows
from netwright.space.search_space import Digit, Digits, Space
from netwright.space.settling import count, every_choice
from netwright.space.totals import totals

__all__ = ["ChoiceSpace"]


class ChoiceSpace(Space):
    """All nets that settle the choices of an open one; a digit a choice, one for all of a name.

    Choices inside options that are not taken are 0 in a code. Nets are one function whose parts
    are but for `Identity`, chains in chains and nodes of a `Graph` that nobody reads (`form`), or
    whose choices among the same options are branches of a `Sum` in another order. Of parts that
    can be settled in more than 256 ways this is known of each part in them, and of those in a row.

    net: a net whose spec holds at least one `Choice`

    >>> from netwright import Choice, Conv, GlobalAvgPool, Identity, Linear, ReLU, Sequential
    >>> body = Sequential(Conv(Choice(8, 16)), ReLU(), Choice(Conv(8), Identity()))
    >>> net = Net(Sequential(body=body, pool=GlobalAvgPool(), fc=Linear(10)), (3, 32, 32), "tiny")
    >>> space = ChoiceSpace(net)
    >>> space
    <space tiny: 4 codes of 2 choices>
    >>> space.net("11").plan().params, space.code(space.net("01"))
    (618, '01')
    """

    sound: ClassVar[bool] = True

    def __init__(self, net: Net) -> None:
        if not net.spec.is_open:
            raise SpecError(f"{net.name} has no choice in it; write Choice(A, B) where its nets "
                            "are to differ")  # fmt: skip
        self.template = net
        by_name = dict[str, Choice]()
        for name, choice in every_choice(net.spec):
            if by_name.setdefault(name, choice) != choice:
                raise SpecError(f"two choices are called {name!r} and differ in their options")
        super().__init__(net.name, [_digit(*item) for item in by_name.items()])
        self._index = {name: i for i, name in enumerate(by_name)}
        alike = () if _gives_streams(net.spec) else tuple(_alike(net.spec, ""))
        self._alike = [[self._index[name] for name in names] for names in alike]
        self._rows = list(Rows(self._index).of(net.spec))
        self._legal: dict[Digits, bool] = {}

    @property
    def size(self) -> int:
        """How many codes there are, whatever they cost."""
        return math.prod(map(count, dict(outer(self.template.spec)).values()))

    def build(self, choices: Digits) -> Net:
        spec = settled(self.template.spec, lambda name, _: choices[self._index[name]])
        return Net(spec, self.template.input, f"{self.name}-{self.write(choices)}")

    def read(self, net: Net) -> Digits:
        if net.input == self.template.input:
            for taken in _read(self.template.spec, net.spec, "", {}):
                return tuple([taken.get(name, 0) for name in self._index])
        raise SpecError(f"{net.name} is no net of {self.name}: it does not settle its choices")

    def legal(self, choices: Digits) -> bool:
        if choices not in self._legal:
            self._legal[choices] = self._plannable(choices)
        return self._legal[choices]

    def _plannable(self, choices: Digits) -> bool:
        if self.arranged(choices) != choices:
            return False
        try:
            totals(self.build(choices))
        except (ShapeError, SpecError):
            return False
        return True

    def arranged(self, choices: Digits) -> Digits:
        taken = set(self._taken(self.template.spec, "", choices))
        return tuple([choice if i in taken else 0 for i, choice in enumerate(choices)])

    def _taken(self, value: Any, where: str, choices: Digits) -> Iterator[int]:
        """The places of the choices that a net depends on."""
        for name, choice in outer(value, where):
            place = self._index[name]
            yield place
            yield from self._taken(choice.options[choices[place]], f"{name}={choices[place]}",
                                   choices)  # fmt: skip

    def reduced(self, choices: Digits) -> Digits:
        reduced, before = list(choices), list[int]()
        while reduced != before:  # each step makes the code less
            before = reduced.copy()
            for places in self._alike:
                taken = sorted([reduced[place] for place in places])
                for place, option in zip(places, taken, strict=True):
                    reduced[place] = option
            for row in self._rows:
                row.reduce(reduced)
        found = tuple(reduced)
        # Identity passes no streams, so that the least code may stand for no net.
        return found if found == choices or self.legal(found) else choices


def _digit(name: str, choice: Choice) -> Digit:
    numbers = all(type(option) in (int, float) for option in choice.options)
    ordered = numbers and list(choice.options) == sorted(choice.options)
    return Digit(name, choice.options, ordered and len(choice.options) > 1)


def _read(template: Any, value: Any, where: str, taken: dict[str, int]) -> Iterator[dict[str, int]]:
    """The ways to make `value` of an open one: options by the name of the choice."""
    if isinstance(template, Choice):
        name = template.name or where
        options = range(len(template.options))
        for i in [taken[name]] if name in taken else options:
            yield from _read(template.options[i], value, f"{name}={i}", {**taken, name: i})
    elif not is_open(template):
        if template == value:
            yield taken
    elif type(template) is type(value):
        pairs = list(items(template, where)), list(items(value, where))
        if [path for path, _ in pairs[0]] == [path for path, _ in pairs[1]]:
            yield from _read_all([(a, b[1]) for a, b in zip(*pairs, strict=True)], taken)


def _read_all(
    pairs: list[tuple[tuple[str, Any], Any]], taken: dict[str, int]
) -> Iterator[dict[str, int]]:
    if not pairs:
        yield taken
        return
    (where, template), value = pairs[0]
    for more in _read(template, value, where, taken):
        yield from _read_all(pairs[1:], more)


def _gives_streams(value: Any) -> bool:
    """Whether some part of a spec gives several streams, of which branches may take one each."""
    if isinstance(value, Fork | Parallel):
        return True
    if isinstance(value, Graph) and any(len(read) > 1 for read in value.reads().values()):
        return True
    inner = value.options if isinstance(value, Choice) else [item for _, item in items(value, "")]
    return any(map(_gives_streams, inner))


def _alike(value: Any, where: str) -> Iterator[list[str]]:
    """Names of unnamed choices whose order makes no difference."""
    if not is_open(value) or isinstance(value, Choice):
        return
    parts = list(items(value, where))
    for path, part in parts:
        yield from _alike(part, path)
    if not isinstance(value, Sum):
        return
    parts = sorted(parts[len(parts) - len(value) :], key=lambda part: repr(part[1]))
    for part, run in groupby(parts, key=lambda part: part[1]):
        names = [path for path, _ in run]
        if isinstance(part, Choice) and not part.name and not any(map(is_open, part.options)):
            yield names
