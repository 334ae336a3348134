"""Strategies: which net to try next, given what came of those before.

A strategy is a frozen dataclass whose fields are its settings. It keeps nothing: `ask` derives
all from the trials so far, so many workers may share one storage and a restart loses nothing. What
it has to learn before the first trial it gives to the study (`prepare`), which keeps it.
"""

from __future__ import annotations

import math
import random as rng
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, ClassVar, TypeVar

from netwright.core.kinds import argument_kinds, shown
from netwright.core.lazy import load
from netwright.core.text import first_sentence
from netwright.errors import SearchError, UnknownName, nearest
from netwright.search.trial import Trial
from netwright.space.named import keywords
from netwright.space.search_space import MANY, Space

__all__ = [
    "RANDOM",
    "Exhausted",
    "Learnt",
    "Proposal",
    "Strategy",
    "about",
    "complete",
    "drawn",
    "find",
    "longest",
    "name_of",
    "named",
    "names",
    "new",
    "taken",
    "warm_up",
]

Learnt = dict[str, Any]
RANDOM = "random"
"""What a note says a net is `from` that was drawn at random."""
FEW = 200
"""Codes that are drawn in the hope of a new function, before a space is enumerated."""


class Exhausted(SearchError):
    """Every function of the space has been evaluated."""


@dataclass(frozen=True)
class Proposal:
    """What to evaluate next.

    code: of the net
    fidelity: share of the whole training, above 0 and at most 1
    note: how the strategy came to it, such as the parent; kept in the trial's record
    """

    code: str
    fidelity: float = 1.0
    note: dict[str, Any] = field(default_factory=dict[str, Any])


class Strategy:
    """A way to search; subclasses are frozen dataclasses of settings, registered by `named`.

    >>> str(find("evolution", population=20))
    'evolution:population=20,tournament=10,ages=True'
    """

    fidelities: ClassVar[bool] = False
    """Whether it asks for parts of a training; its evaluator takes `fidelity`."""

    def __str__(self) -> str:
        settings = ",".join([f"{name}={value}" for name, value in vars(self).items()])
        return f"{name_of(self)}:{settings}" if settings else name_of(self)

    def check(self, space: Space, evaluator: object) -> None:
        """`SearchError` where it cannot search this space by this evaluator."""
        from netwright.search.timing import LATENCY, predicted

        if LATENCY in self.weighs():
            predicted(space.net(space.example()))  # raises where this machine is not calibrated

    def weighs(self) -> tuple[str, ...]:
        """What it minimises beside the score: names of `Trial.costs`."""
        return ()

    def prepare(
        self,
        space: Space,
        evaluator: object,
        *,
        seed: int = 0,
        seconds: float = math.inf,
        before: Learnt | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> Learnt:
        """What it has to know before the first trial, as JSON's own types; most need nothing.

        space, evaluator, seed: of the search
        seconds: time for all of the search
        before: what it gave in an earlier session of the study, which need not be learnt again
        tell: hears a line for people
        """
        return before or {}

    def prepared(self, learnt: Learnt) -> Strategy:
        """The strategy that knows what `prepare` gave."""
        return self

    def ask(self, space: Space, trials: Sequence[Trial], random: rng.Random) -> Proposal:
        """What to evaluate next: a function not in `trials`, whatever their state.

        Raises `Exhausted` where there is none left.
        """
        raise NotImplementedError


Kind = TypeVar("Kind", bound=type[Strategy])
_strategies: dict[str, partial[Strategy]] = {}


def named(name: str, **settings: Any) -> Callable[[Kind], Kind]:
    """Registers the decorated class, with these settings, as the strategy of that name."""

    def register(cls: Kind) -> Kind:
        _strategies[name] = partial(cls, **settings)
        return cls

    return register


def name_of(strategy: Strategy) -> str:
    """The registered name that says most of a strategy's settings; that of its class where it has
    none.

    >>> name_of(find("hyperband", brackets=2)), name_of(find("hyperband", brackets=1))
    ('hyperband', 'successive-halving')
    """

    def matching(name: str) -> int:
        settings = _strategies[name].keywords.items()
        fits = all(getattr(strategy, word) == value for word, value in settings)
        return len(settings) if fits else -1

    own = [name for name, make in _strategies.items() if make.func is type(strategy)]
    return max(own, key=matching, default=type(strategy).__name__)


def names(pattern: str = "*") -> list[str]:
    """Names of the strategies that match a shell pattern, sorted; `default` is `bayesian`.

    >>> "default" in names(), names("rand*")
    (True, ['random'])
    """
    load(__name__.rpartition(".")[0])
    return sorted(name for name in _strategies if fnmatchcase(name, pattern))


def about(name: str) -> str:
    """How the strategy of that name searches, in a sentence.

    >>> about("default"), about("successive-halving")
    ('as bayesian', 'as hyperband, with brackets=1')
    """
    names()
    make = _strategies[name]
    alike = [other for other, one in _strategies.items() if one.func is make.func]
    first = min(alike, key=lambda other: len(_strategies[other].keywords))
    if name == first:
        return first_sentence(make.func.__doc__)
    settings = [f"{word}={value}" for word, value in make.keywords.items()]
    return f"as {first}, with {', '.join(settings)}" if settings else f"as {first}"


def find(strategy: str | Strategy, **settings: Any) -> Strategy:
    """The strategy of that name, with these of its settings; they may stand behind the name too.

    Raises `UnknownName` with near names, `SearchError` for a setting it does not have, or of
    another kind.

    >>> find("evolution:population=20") == find("evolution", population=20)
    True
    """
    if isinstance(strategy, Strategy):
        return strategy
    if not isinstance(strategy, str):
        raise SearchError(f"strategy is {shown(strategy, 80)}, wanted the name of one, as "
                          "nw.strategies() lists them, or a Strategy")  # fmt: skip
    strategy, _, rest = strategy.partition(":")
    if strategy not in names():
        raise UnknownName(f"{nearest('strategy', strategy, _strategies)}; `netwright search`, or "
                          "nw.strategies(), lists all")  # fmt: skip
    make = _strategies[strategy]
    such = str(make()).partition(":")[2] or "none: it has no settings"
    settings = {**keywords(rest, f"strategy {strategy}", such), **settings}
    takes = argument_kinds(make)
    for name, value in settings.items():
        if name not in takes:
            wanted = ", ".join(takes) or "none"
            raise SearchError(f"strategy {strategy} has no setting {name!r}; it has: {wanted}")
        if not takes[name].holds(value):
            raise SearchError(f"strategy {strategy}: {name} is {shown(value, 80)}, wanted "
                              f"{takes[name].wanted}")  # fmt: skip
    return make(**settings)


def complete(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that have a score, in order."""
    return [trial for trial in trials if trial.state == "complete"]


def longest(trials: Sequence[Trial]) -> list[Trial]:
    """The complete trials of the longest training, in order: their scores compare.

    >>> whole = Trial(0, "0", "0", "", 0.5, "complete")
    >>> short = Trial(1, "1", "1", "", 0.9, "complete", fidelity=0.5)
    >>> longest([whole, short]) == [whole], longest([short]) == [short]
    (True, True)
    """
    done = complete(trials)
    most = max([trial.share for trial in done], default=1.0)
    return [trial for trial in done if trial.share == most]


def taken(trials: Sequence[Trial]) -> set[str]:
    """The functions that were asked for, by canonical code, whatever came of them."""
    return {trial.key for trial in trials}


def new(
    space: Space,
    trials: Sequence[Trial],
    random: rng.Random,
    draw: Callable[[], str] | None = None,
) -> str:
    """A code whose function is in no trial: from `draw` if it gives one, else at random, else the
    next in order. Raises `Exhausted` where there is none.
    """
    asked = taken(trials)
    draws = [draw] if draw else []
    for source in (*draws, lambda: space.sample(random)):
        for _ in range(FEW):
            code = space.preferred(source())
            if space.canonical(code) not in asked:
                return code
    if space.functions is not None:
        left = [code for key, code in space.functions.items() if key not in asked]
        if left:
            return left[random.randrange(len(left))]
    elif space.size <= MANY:  # cheaper than `functions`: it ends with the first
        for code in space.codes():
            if space.canonical(code) not in asked:
                return space.preferred(code)
    bounds, wider = "", ""
    if space.budget.bounds():
        bounds, wider = f" within {space.budget.describe()}", ", or a wider budget"
    raise Exhausted(f"no function of {space.name}{bounds} is left to evaluate after "
                    f"{len(asked):,}; take another space{wider}")  # fmt: skip


def drawn(space: Space, trials: Sequence[Trial], random: rng.Random, **note: Any) -> Proposal:
    """A net at random whose function is in no trial, with what else is to be noted."""
    return Proposal(new(space, trials, random), note={"from": RANDOM, **note})


def warm_up(
    space: Space, trials: Sequence[Trial], random: rng.Random, start: int, least: int = 1
) -> Proposal | None:
    """A net at random for a strategy that has nothing to go by yet: before `start` trials, or
    `least` complete ones; None after.
    """
    if len(trials) < start or len(complete(trials)) < least:
        return drawn(space, trials, random)
    return None
