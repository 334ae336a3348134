"""What a search has come to: its trials in order, the best net, the front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from netwright.core.net import Net
from netwright.errors import SearchError
from netwright.search.fronts import front
from netwright.search.strategy import complete
from netwright.search.timing import LATENCY, latencies, timed
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["Best", "Study", "best_so_far", "best_trial"]


@dataclass(frozen=True)
class Best:
    """The trial with the highest score, and its net."""

    trial: Trial
    net: Net

    @property
    def score(self) -> float:
        """What the evaluator said of it."""
        return self.trial.points

    @property
    def code(self) -> str:
        """Its code in the space."""
        return self.trial.code


@dataclass(frozen=True)
class Study:
    """The trials of one search; `trials` are in the order they were asked in.

    space: where they come from
    strategy: the name of the strategy
    seed: that of the search
    trials: all of them, failed and running ones too
    stopped: why the search ended
    """

    space: Space
    strategy: str
    seed: int
    trials: Sequence[Trial] = field(default_factory=list[Trial])
    stopped: str = ""

    @cached_property
    def best(self) -> Best:
        """The highest score at full fidelity, the earliest of equals; `SearchError` where no
        trial is complete.
        """
        best = best_trial(self.trials)
        return Best(best, self.space.net(best.code))

    def front(self, *costs: str) -> list[Trial]:
        """The trials that none beats in score and costs (`params`, `macs`, `latency`) at once, by
        score from the highest. Latency, seconds of an image, is measured on this machine for the
        nets that may be on the front; it is among the costs of the trials then.
        """
        trials = complete(self.trials)
        if LATENCY in costs:
            trials = timed(trials, latencies(trials, lambda trial: self.space.net(trial.code)))
        return front(trials, costs or ("params", "macs"))

    def curve(self) -> list[float]:
        """The best score so far after each complete trial."""
        return best_so_far(self.trials)


def best_trial(trials: Sequence[Trial]) -> Trial:
    """The complete trial of the longest training with the highest score, the earliest of equals;
    `SearchError` where there is none.
    """
    done = complete(trials)
    if not done:
        reasons = [trial.reason for trial in trials if trial.reason]
        why = f"; the last failed with {reasons[-1]}" if reasons else ""
        raise SearchError(f"no trial of {len(trials)} is complete{why}")
    most = max(trial.fidelity for trial in done)
    return max([trial for trial in done if trial.fidelity == most], key=lambda one: one.points)


def best_so_far(trials: Sequence[Trial]) -> list[float]:
    """The highest score so far after each complete trial."""
    return list(accumulate([trial.points for trial in complete(trials)], max))
