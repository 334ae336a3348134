"""Optuna's samplers through the interface of all strategies."""

from __future__ import annotations

import random as rng
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from netwright.errors import SearchError
from netwright.search.evolution import offspring
from netwright.search.strategy import (
    RANDOM,
    Proposal,
    Strategy,
    complete,
    drawn,
    named,
    taken,
    warm_up,
)
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["NSGA2", "TPE", "OptunaStrategy"]

AGAIN = 10
"""How often a sampler is asked before a known function is mutated instead."""
KEPT = 8
_studies: OrderedDict[Any, Any] = OrderedDict()
"""Studies by what they hold, so that trials need not be shown again; nothing but speed depends on
them."""


@dataclass(frozen=True)
class OptunaStrategy(Strategy):
    """A sampler of Optuna (Akiba et al. 2019, arXiv:1907.10902) that is shown all trials and asked
    for choices; a function it has seen is asked again, then mutated.

    start: trials at random before the sampler's own
    """

    start: int = 10

    def sampler(self, optuna: Any, seed: int) -> Any:
        """A new sampler."""
        raise NotImplementedError

    @property
    def blind(self) -> int:
        """Complete trials before the sampler heeds scores; until then it draws at random."""
        return self.start

    def values(self, trial: Trial) -> list[float]:
        """What is maximised."""
        return [trial.points]

    def attributes(self, i: int) -> dict[str, Any]:
        """What the sampler itself keeps of the complete trial at place `i`."""
        return {}

    def ask(self, space: Space, trials: Sequence[Trial], random: rng.Random) -> Proposal:
        if first := warm_up(space, trials, random, self.start):
            return first
        done = complete(trials)
        optuna = _optuna()
        study = self._study(optuna, space, done)
        study.sampler = self.sampler(optuna, random.getrandbits(31))
        ranges = _ranges(optuna, space)
        seen, code = taken(trials), done[-1].code
        for _ in range(AGAIN):
            trial = study.ask(ranges)
            chosen = tuple([trial.params[digit.name] for digit in space.digits])
            study.tell(trial, state=optuna.trial.TrialState.FAIL)  # samplers pass these over
            code = space.write(space.arranged(chosen))
            if space.fits(code) and space.canonical(code) not in seen:
                note = {} if len(done) >= self.blind else {"from": RANDOM}
                return Proposal(space.preferred(code), note=note)
        if not space.fits(code):
            return drawn(space, trials, random)
        return Proposal(offspring(space, trials, code, random), note={"from": "mutation"})

    def _study(self, optuna: Any, space: Space, done: list[Trial]) -> Any:
        """A study that holds these trials; one that holds the first of them is taken further."""
        history = tuple([(trial.code, *self.values(trial)) for trial in done])
        shown = len(history)
        while shown and (self, space, history[:shown]) not in _studies:
            shown -= 1
        if shown:
            study = _studies.pop((self, space, history[:shown]))
        else:
            directions = ["maximize"] * len(self.values(done[0]))
            study = optuna.create_study(directions=directions)
        rest = range(shown, len(done))
        study.add_trials([self._shown(optuna, space, done[i], i) for i in rest])
        _studies[self, space, history] = study
        while len(_studies) > KEPT:
            _studies.popitem(last=False)
        return study

    def _shown(self, optuna: Any, space: Space, trial: Trial, i: int) -> Any:
        """A trial as Optuna keeps it; `i` is its place among the complete ones."""
        choices = zip(space.digits, space.choices(trial.code), strict=True)
        return optuna.trial.create_trial(
            params={digit.name: choice for digit, choice in choices},
            distributions=_ranges(optuna, space),
            values=self.values(trial),
            system_attrs=self.attributes(i),
        )


@named("tpe")
@dataclass(frozen=True)
class TPE(OptunaStrategy):
    """Optuna's tree-structured Parzen estimator (Bergstra et al. 2011)."""

    def sampler(self, optuna: Any, seed: int) -> Any:
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=self.start)


@named("nsga2")
@named("pareto", costs=("params", "macs"))
@dataclass(frozen=True)
class NSGA2(OptunaStrategy):
    """Optuna's NSGA-II: generations whose best are those that few others beat (Deb et al. 2002);
    `pareto` minimises parameters and multiply-adds beside the score.

    The first generation is at random; the default suits searches of a hundred trials. The paper
    has 250 generations of 100.

    population: trials a generation
    costs: what is minimised beside: `params`, `macs` or `latency`, as it is predicted here
    """

    population: int = 10
    costs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.population < 1:
            raise SearchError(f"{self}: wanted a population of at least 1")

    def sampler(self, optuna: Any, seed: int) -> Any:
        return _nsga2(optuna)(seed=seed, population_size=self.population)

    @property
    def blind(self) -> int:
        return self.population

    def weighs(self) -> tuple[str, ...]:
        return self.costs

    def values(self, trial: Trial) -> list[float]:
        return [trial.points, *[-trial.cost(name) for name in self.costs]]

    def attributes(self, i: int) -> dict[str, Any]:
        # Optuna's own word for the generation of a trial, which it writes when it asks for one.
        return {"NSGAIISampler:generation": i // self.population}


def _nsga2(optuna: Any) -> Any:
    """Optuna's sampler with parents in the order of their trials: it selects them by rank once,
    and finds them again by trial in a study that it has been asked in before.
    """

    class NSGAIISampler(optuna.samplers.NSGAIISampler):  # its name is in the trials' attributes
        def select_parent(self, study: Any, generation: int) -> list[Any]:
            parents = super().select_parent(study, generation)
            return sorted(parents, key=lambda trial: trial.number)

    return NSGAIISampler


def _ranges(optuna: Any, space: Space) -> dict[str, Any]:
    """The choices of a space as Optuna's distributions."""
    kinds = optuna.distributions
    return {
        digit.name: kinds.IntDistribution(0, len(digit.options) - 1)
        if digit.ordered
        else kinds.CategoricalDistribution(range(len(digit.options)))
        for digit in space.digits
    }


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise SearchError("this strategy is Optuna's, which is not installed; "
                          "pip install 'netwright[search]'") from None  # fmt: skip
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
