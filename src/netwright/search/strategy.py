"""Strategies: which net to try next, given what came of those before.

A strategy is a frozen dataclass whose fields are its settings. It keeps nothing: `ask` derives
all from the trials so far, so many workers may share one storage and a restart loses nothing. What
it has to learn before the first trial it gives to the study (`prepare`), which keeps it.
"""

from __future__ import annotations

import math
import random as rng
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, ClassVar, TypeVar

from netwright.core.lazy import load
from netwright.errors import SearchError, nearest
from netwright.search.trial import Trial
from netwright.space.named import keywords
from netwright.space.search_space import MANY, Space

__all__ = [
    "RANDOM",
    "Exhausted",
    "Learnt",
    "Proposal",
    "Strategy",
    "complete",
    "drawn",
    "find",
    "longest",
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
    """A way to search; subclasses are frozen dataclasses of settings, registered by `named`."""

    fidelities: ClassVar[bool] = False
    """Whether it asks for parts of a training; its evaluator takes `fidelity`."""

    def check(self, space: Space, evaluator: object) -> None:
        """`SearchError` where it cannot search this space by this evaluator."""

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
_strategies: dict[str, Callable[..., Strategy]] = {}


def named(name: str, **settings: Any) -> Callable[[Kind], Kind]:
    """Registers the decorated class, with these settings, as the strategy of that name."""

    def register(cls: Kind) -> Kind:
        _strategies[name] = partial(cls, **settings)
        return cls

    return register


def names(pattern: str = "*") -> list[str]:
    """Names of the strategies that match a shell pattern, sorted.

    >>> "default" in names(), names("rand*")
    (True, ['random'])
    """
    load(__name__.rpartition(".")[0])
    return sorted(name for name in _strategies if fnmatchcase(name, pattern))


def find(strategy: str | Strategy, **settings: Any) -> Strategy:
    """The strategy of that name, with these of its settings; they may stand behind the name too.

    Raises `UnknownName` with near names, `SearchError` for a setting it does not have.

    >>> find("evolution:population=20") == find("evolution", population=20)
    True
    """
    if isinstance(strategy, Strategy):
        return strategy
    strategy, _, rest = strategy.partition(":")
    if strategy not in names():
        raise nearest("strategy", strategy, _strategies)
    settings = {**keywords(rest, f"strategy {strategy}"), **settings}
    make = _strategies[strategy]
    words = [item.name for item in fields(make())]  # type: ignore[arg-type]
    for name in settings:
        if name not in words:
            wanted = ", ".join(words) or "none"
            raise SearchError(f"strategy {strategy} has no setting {name!r}; it has: {wanted}")
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
