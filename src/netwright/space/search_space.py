"""Search spaces: nets by short codes, and everything a search asks of them."""

from __future__ import annotations

import copy
import math
import random as rng
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple, Self

from netwright.core.net import Net
from netwright.errors import BudgetError, NetwrightError, ShapeError, SpecError
from netwright.space.budget import Budget
from netwright.space.totals import Totals, totals

__all__ = ["ALPHABET", "Digit", "Digits", "Space"]

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
MANY, SOME = 20_000, 5_000
"""Codes of a space that is looked at as a whole: where all are of nets that fit, and where each
has to be counted to know."""
TRIES = 1000
"""Codes that are drawn before a space counts as empty under its budget."""

Digits = tuple[int, ...]
"""One choice a digit: the index of its option."""


class Digit(NamedTuple):
    """One choice of a space: its name and its options, `ordered` where near ones are alike."""

    name: str
    options: tuple[Any, ...]
    ordered: bool = False


class Space:
    """A set of nets, one a code: a text with a character for every choice (two where a choice has
    more than 36 options).

    A subclass says what the choices are (`digits`), which net they make (`build`) and how they are
    read from it (`read`); all else follows from these. It overrides `legal` where some codes stand
    for no net, `arranged` where a choice depends on another, `reduced` where several codes stand
    for one function, and `described` where it knows more about a net than its choices.

    name: what it is called
    digits: its choices, in the order of the code
    budget: what its nets may cost; codes above it are never drawn
    """

    def __init__(self, name: str, digits: Sequence[Digit], budget: Budget | None = None) -> None:
        self.name = name
        self.digits = tuple(digits)
        self.budget = budget or Budget()
        self._fits: dict[str, bool] = {}
        self._reduced: dict[str, str] = {}
        self._totals: dict[str, Totals] = {}
        self._features: dict[str, tuple[float, ...]] = {}
        self._places = _places(self.digits)
        for digit in self.digits:
            if not digit.options:
                raise SpecError(f"{name}: the choice {digit.name!r} has no option")

    def build(self, choices: Digits) -> Net:
        """The net of these choices."""
        raise NotImplementedError

    def read(self, net: Net) -> Digits:
        """The choices of a net of this space; `SpecError` for another net."""
        raise NotImplementedError

    def legal(self, choices: Digits) -> bool:
        """Whether these choices stand for a net at all, whatever it costs."""
        return True

    def arranged(self, choices: Digits) -> Digits:
        """The same choices as codes write them: those that nothing depends on are 0."""
        return choices

    def reduced(self, choices: Digits) -> Digits:
        """The choices that stand for all that compute the same function up to weights."""
        return choices

    def described(self, choices: Digits) -> tuple[float, ...]:
        """Numbers about reduced choices for predictors: the place of an ordered option from 0 to
        1, one-hot for others.
        """
        numbers = list[float]()
        for digit, choice in zip(self.digits, choices, strict=True):
            last = len(digit.options) - 1
            if digit.ordered:
                numbers.append(choice / max(last, 1))
            else:
                numbers += [float(choice == i) for i in range(last + 1)]
        return tuple(numbers)

    @property
    def size(self) -> int:
        """How many codes there are, legal or not, whatever they cost."""
        return math.prod(len(digit.options) for digit in self.digits)

    def __repr__(self) -> str:
        bounds = f", {self.budget.describe()}" if self.budget.bounds() else ""
        return f"<space {self.name}: {self.size:,} codes of {len(self.digits)} choices{bounds}>"

    def within(self, budget: Budget | str) -> Self:
        """The same space under a budget, such as `"params<=1M, macs<=50M"`."""
        other = copy.copy(self)  # what is known of nets stays known, but which of them fit
        given = Budget.parse(budget) if isinstance(budget, str) else budget
        vars(other).pop("functions", None)
        vars(other).update(budget=given, _fits={})
        return other

    def write(self, choices: Sequence[int]) -> str:
        """Choices as a code."""
        text = list[str]()
        for choice, (start, stop) in zip(choices, self._places, strict=True):
            if stop - start > 1:
                text.append(ALPHABET[choice // len(ALPHABET)])
            text.append(ALPHABET[choice % len(ALPHABET)])
        return "".join(text)

    def choices(self, code: str) -> Digits:
        """A code as choices; `SpecError` for one that is none of this space."""
        if not isinstance(code, str) or len(code) != self._places[-1][1]:
            raise SpecError(
                f"{code!r} is no code of {self.name}; wanted {self._places[-1][1]} characters, "
                f"such as {self.write([0] * len(self.digits))!r}"
            )
        choices = tuple([_number(code[start:stop]) for start, stop in self._places])
        for digit, choice in zip(self.digits, choices, strict=True):
            if not 0 <= choice < len(digit.options):
                raise SpecError(
                    f"{code!r} is no code of {self.name}: {digit.name} has "
                    f"{len(digit.options)} options, 0 to {len(digit.options) - 1}"
                )
        return choices

    def net(self, code: str) -> Net:
        """The net of a code; `SpecError` where it stands for none."""
        choices = self.choices(code)
        if not self._fits.get(code) and not self.legal(choices):
            raise SpecError(f"{code!r} of {self.name} stands for no net")
        return self.build(choices)

    def code(self, net: Net) -> str:
        """The code of a net of this space; `SpecError` for another net."""
        return self.write(self.read(net))

    def canonical(self, code: str) -> str:
        """The code that stands for all whose nets compute the same function up to weights."""
        if code not in self._reduced:
            self._reduced[code] = self.write(self.reduced(self.choices(code)))
        return self._reduced[code]

    def totals(self, code: str) -> Totals:
        """Parameters and multiply-adds of the net of a code."""
        if code not in self._totals:
            self._totals[code] = totals(self.net(code))
        return self._totals[code]

    def features(self, code: str) -> tuple[float, ...]:
        """Numbers about a net for predictors, of one length, the same for equal functions."""
        code = self.canonical(code)
        if code not in self._features:
            cost = self.totals(code)
            logs = (math.log1p(cost.params), math.log1p(cost.macs))
            self._features[code] = (*self.described(self.choices(code)), *logs)
        return self._features[code]

    def fits(self, code: str) -> bool:
        """Whether a code stands for a net that can be planned and keeps to the budget."""
        if code not in self._fits:
            self._fits[code] = self.legal(self.choices(code)) and self.excess(code) <= 1
        return self._fits[code]

    def excess(self, code: str) -> float:
        """The largest ratio of what a legal net needs to what it may; infinite where its parts do
        not fit each other.
        """
        if not self.budget.bounds():
            return 0.0
        try:
            if self.budget.memory is not None:
                return self.budget.excess(self.net(code).plan())
            return self.budget.excess(self.totals(code))
        except (ShapeError, SpecError):
            return math.inf

    def codes(self) -> Iterator[str]:
        """All codes that fit, in order."""
        return filter(self.fits, self._written())

    def _written(self) -> Iterator[str]:
        """All codes in order, of nets or not."""
        return map(self.write, product(*[range(len(digit.options)) for digit in self.digits]))

    @cached_property
    def functions(self) -> dict[str, str] | None:
        """All functions that fit, by canonical code, each with the code to ask it by; None where
        the space has too many codes to look at.
        """
        counted = type(self).legal is not Space.legal or self.budget.bounds()
        if self.size > (SOME if counted else MANY):
            return None
        known = dict[str, str]()
        for code in self._written():
            if self.legal(self.choices(code)) and (key := self.canonical(code)) not in known:
                for one in (key, code):
                    if self.fits(one):
                        known.setdefault(key, one)
        return known

    def preferred(self, code: str) -> str:
        """The canonical code where it fits, else the code itself."""
        key = self.canonical(code)
        return key if self.fits(key) else code

    def sample(self, random: rng.Random) -> str:
        """A code that fits, each as likely as the others; `BudgetError` where there seems to be
        none, with the nearest that was seen.
        """
        for _ in range(TRIES):
            code = self.write(self.arranged(self.drawn(random)))
            if self.fits(code):
                return code
        return self._descended(random)

    def drawn(self, random: rng.Random) -> Digits:
        """Choices at random, legal or not."""
        return tuple([random.randrange(len(digit.options)) for digit in self.digits])

    def mutate(self, code: str, random: rng.Random) -> str:
        """A code that fits and differs in one choice and in function; one at random where there is
        none.
        """
        near = list(self._near(self.choices(code)))
        random.shuffle(near)
        known = self.canonical(code)
        for other in near:
            if self.fits(other) and self.canonical(other) != known:
                return other
        return self.sample(random)

    def neighbours(self, code: str) -> list[str]:
        """All codes that fit and differ in one choice, in order."""
        return [other for other in self._near(self.choices(code)) if self.fits(other)]

    def crossover(self, one: str, other: str, random: rng.Random) -> str:
        """A code that fits, each of its choices from one of two; a mutant of the first where none
        does.
        """
        pairs = list(zip(self.choices(one), self.choices(other), strict=True))
        for _ in range(len(self.digits)):
            mixed = tuple([pair[random.random() < 0.5] for pair in pairs])
            code = self.write(self.arranged(mixed))
            if code not in (one, other) and self.fits(code):
                return code
        return self.mutate(one, random)

    def _near(self, choices: Digits) -> Iterator[str]:
        known = {choices}
        for i, digit in enumerate(self.digits):
            for option in range(len(digit.options)):
                other = self.arranged((*choices[:i], option, *choices[i + 1 :]))
                if other not in known:
                    known.add(other)
                    yield self.write(other)

    def _descended(self, random: rng.Random) -> str:
        """A code that fits, reached from the nearest of some by changing one choice at a time."""
        drawn = [self.write(self.arranged(self.drawn(random))) for _ in range(TRIES)]
        legal = [code for code in drawn if self.legal(self.choices(code))]
        if not legal:
            raise BudgetError(f"{self.name}: none of {TRIES:,} codes stands for a net")
        best = min(legal[:100], key=self.excess)
        while self.excess(best) > 1:
            near = [code for code in self._near(self.choices(best))
                    if self.legal(self.choices(code))]  # fmt: skip
            lower = min(near, key=self.excess, default=best)
            if self.excess(lower) >= self.excess(best):
                raise BudgetError(f"no net of {self.name} keeps to {self.budget.describe()}; "
                                  f"{self._nearest(best)}")  # fmt: skip
            best = lower
        return best

    def _nearest(self, code: str) -> str:
        try:
            plan = self.net(code).plan()
        except NetwrightError as error:
            return f"{code} cannot be planned: {error}"
        least = Budget(**{name: getattr(plan, name) for name in self.budget.bounds()})
        return f"the nearest, {code}, has {least.describe().replace('≤', '=')}"


def _places(digits: Sequence[Digit]) -> tuple[tuple[int, int], ...]:
    """Where each digit stands in a code: (start, stop)."""
    places, start = list[tuple[int, int]](), 0
    for digit in digits:
        stop = start + (1 if len(digit.options) <= len(ALPHABET) else 2)
        places.append((start, stop))
        start = stop
    return tuple(places)


def _number(text: str) -> int:
    """A number of one or two letters of the alphabet; -1 for another text."""
    number = 0
    for letter in text:
        place = ALPHABET.find(letter)
        if place < 0:
            return -1
        number = number * len(ALPHABET) + place
    return number
