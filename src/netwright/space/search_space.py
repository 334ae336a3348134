"""Search spaces: nets by short codes, and everything a search asks of them."""

from __future__ import annotations

import copy
import math
import random as rng
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import product
from typing import ClassVar, Self

from netwright.core.net import Net
from netwright.errors import NetwrightError, SpecError
from netwright.space.budget import Budget
from netwright.space.digits import ALPHABET, Digit, Digits, read, spans, write
from netwright.space.limits import Limits, Uncalibrated
from netwright.space.totals import Totals, totals

__all__ = ["MANY", "TRIES", "UNFIT", "Digit", "Digits", "Space"]

MANY, SOME = 20_000, 5_000
"""Codes of a space that is looked at as a whole: where all are of nets that fit, and where each
has to be counted to know."""
UNFIT = (NetwrightError, ValueError)
"""What is raised of parts that do not fit each other, or of an option that is none."""
TRIES = 1000
"""Codes that are drawn before a space counts as empty under its budget."""


class Space:
    """A set of nets, one a code: a text with a character for every choice (two where a choice has
    more than 36 options).

    A subclass says what the choices are (`digits`) and which net they make (`build`); all else
    follows from these. It overrides `read` to know nets again that it has not made itself, `legal`
    where some codes stand for no net, `arranged` where a choice depends on another, `reduced` where
    several codes stand for one function, and `described` where it knows more about a net than its
    choices.

    name: what it is called
    digits: its choices, in the order of the code
    budget: what its nets may cost; codes above it are never drawn
    """

    resizes: ClassVar[bool] = False
    """Whether its nets take images of different sizes, to which the data is to be brought."""
    sound: ClassVar[bool] = False
    """Whether the net of every legal code can be planned, so that none has to be tried."""

    def __init__(self, name: str, digits: Sequence[Digit], budget: Budget | None = None) -> None:
        self.name = name
        self.digits = tuple(digits)
        self.budget = Limits.of(budget)
        self._fits: dict[str, bool] = {}
        self._reduced: dict[str, str] = {}
        self._totals: dict[str, Totals] = {}
        self._features: dict[str, tuple[float, ...]] = {}
        self._built: dict[Net, Digits] = {}
        self._spans = spans(self.digits)
        for digit in self.digits:
            if not 1 <= len(digit.options) <= len(ALPHABET) ** 2:
                raise SpecError(f"{name}: the choice {digit.name!r} has {len(digit.options):,} "
                                f"options, wanted 1 to {len(ALPHABET) ** 2:,}")  # fmt: skip
        if len({digit.name for digit in self.digits}) < max(1, len(self.digits)):
            raise SpecError(
                f"{name}: wanted one or more choices, each of a name of its own; got "
                f"{', '.join([digit.name for digit in self.digits]) or 'none'}"
            )

    def build(self, choices: Digits) -> Net:
        """The net of these choices."""
        raise NotImplementedError

    def read(self, net: Net) -> Digits:
        """The choices of a net of this space; `SpecError` for another net. Unless a subclass knows
        better, it has to be one that `net` gave.
        """
        if net not in self._built:
            raise SpecError(f"{net.name} is no net that {self.name} has made; other nets are read "
                            f"where {type(self).__name__} has a method read(net)")  # fmt: skip
        return self._built[net]

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
        """The same space under a budget, such as `"params<=1M, macs<=50M"`; see `Limits`."""
        other = copy.copy(self)  # what is known of nets stays known, but which of them fit
        given = Limits.parse(budget) if isinstance(budget, str) else Limits.of(budget)
        vars(other).pop("functions", None)
        vars(other).update(budget=given, _fits={})
        return other

    def write(self, choices: Sequence[int]) -> str:
        """Choices as a code."""
        return write(choices, self._spans)

    def choices(self, code: str) -> Digits:
        """A code as choices; `SpecError` for one that is none of this space."""
        length = self._spans[-1][1]
        if not isinstance(code, str) or len(code) != length:
            raise SpecError(
                f"{code!r} is no code of {self.name}; wanted {length} characters, "
                f"such as {self.write([0] * len(self.digits))!r}"
            )
        choices = read(code, self._spans)
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
        net = self.build(choices)
        if type(self).read is Space.read:
            self._built[net] = choices
        return net

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
        bounded = self.budget.bounds()
        if self.sound and not bounded:
            return 0.0
        try:
            totals = self.totals(code)
            return self.budget.lazily(totals, lambda: self.net(code).plan()) if bounded else 0.0
        except Uncalibrated:  # the bound is at fault, not the net
            raise
        except UNFIT:
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
        counted = (type(self).legal is not Space.legal or not self.sound
                   or self.budget.bounds())  # fmt: skip
        if self.size > (SOME if counted else MANY):
            return None
        functions = dict[str, str]()
        for code in self._written():
            if self.legal(self.choices(code)) and (key := self.canonical(code)) not in functions:
                for one in (key, code):
                    if self.fits(one):
                        functions.setdefault(key, one)
        return functions

    def preferred(self, code: str) -> str:
        """The canonical code where it fits, else the code itself."""
        key = self.canonical(code)
        return key if self.fits(key) else code

    def sample(self, random: rng.Random) -> str:
        """A code that fits, as likely as all choices together that `arranged` makes it of;
        `BudgetError` where there seems to be none, with the nearest that was seen.
        """
        for _ in range(TRIES):
            code = self.write(self.arranged(self.drawn(random)))
            if self.fits(code):
                return code
        from netwright.space.descent import descended

        return descended(self, random)

    def example(self) -> str:
        """A code that fits, always the same; `BudgetError` as of `sample`."""
        return self.sample(rng.Random(0))  # noqa: S311 no secret

    def drawn(self, random: rng.Random) -> Digits:
        """Choices at random, legal or not."""
        return tuple([random.randrange(len(digit.options)) for digit in self.digits])

    def mutate(self, code: str, random: rng.Random) -> str:
        """A code that fits and differs in one choice and in function; one at random where there is
        none.
        """
        near = list(self.near(self.choices(code)))
        random.shuffle(near)
        own = self.canonical(code)
        for other in near:
            if self.fits(other) and self.canonical(other) != own:
                return other
        return self.sample(random)

    def neighbours(self, code: str) -> list[str]:
        """All codes that fit and differ in one choice, in order."""
        return [other for other in self.near(self.choices(code)) if self.fits(other)]

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

    def near(self, choices: Digits, places: Iterable[int] | None = None) -> Iterator[str]:
        """Codes that differ in the choice at one of `places`, or at any."""
        seen = {choices}
        for i in range(len(self.digits)) if places is None else places:
            for option in range(len(self.digits[i].options)):
                other = self.arranged((*choices[:i], option, *choices[i + 1 :]))
                if other not in seen:
                    seen.add(other)
                    yield self.write(other)
