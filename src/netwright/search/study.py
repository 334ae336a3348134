"""What a search has come to: its trials in order, the best net, the front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from netwright.core.net import Net
from netwright.errors import SearchError
from netwright.search.fronts import front
from netwright.search.strategy import complete, longest
from netwright.search.timing import LATENCY, latencies, timed
from netwright.search.trial import STRATEGY, Trial
from netwright.space.search_space import Space

__all__ = ["Best", "Study", "best_so_far", "best_trial", "strategies"]


@dataclass(frozen=True)
class Best:
    """The best trial, and its net."""

    trial: Trial
    net: Net

    @property
    def score(self) -> float:
        """What the evaluator said of it."""
        return self.trial.points

    @property
    def share(self) -> float:
        """The share of the whole training after which that was said."""
        return self.trial.share

    @property
    def code(self) -> str:
        """Its code in the space."""
        return self.trial.code


@dataclass(frozen=True)
class Study:
    """The trials of one search; `trials` are in the order they were asked in.

    space: where they come from
    strategy: the name of the strategy that proposed the trials; of several, `random then tpe`
    seed: that of the search
    trials: all of them, failed and running ones too
    stopped: why the search ended
    """

    space: Space
    strategy: str
    seed: int
    trials: Sequence[Trial] = field(default_factory=list[Trial])
    stopped: str = ""

    def __repr__(self) -> str:
        done = complete(self.trials)
        best = f", best score {best_trial(done).points:g}" if done else ""
        return (f"<study of {self.space.name} by {self.strategy}: {len(self.trials)} trials, "
                f"{len(done)} complete{best}>")  # fmt: skip

    @cached_property
    def best(self) -> Best:
        """The highest score of the longest training so far, of equals that of the fewest MACs;
        `SearchError` where no trial is complete.
        """
        best = best_trial(self.trials)
        return Best(best, self.space.net(best.code))

    def front(self, *costs: str) -> list[Trial]:
        """The trials of the longest training so far that none beats in score and costs (`params`,
        `macs`, `latency`) at once, by score from the highest. Latency, seconds of an image, is
        measured on this machine for the nets that may be on the front; it is among the costs of
        the trials then.
        """
        trials = self.trials
        if LATENCY in costs:
            trials = timed(trials, latencies(trials, lambda trial: self.space.net(trial.code)))
        return front(trials, costs or ("params", "macs"))

    def curve(self) -> list[float]:
        """The best score so far after each complete trial of the longest training."""
        return best_so_far(self.trials)


def strategies(trials: Sequence[Trial], name: str) -> str:
    """The strategies that proposed the trials, in order; the one of that name where none did.

    >>> trials = [Trial(i, "", "", "", record={"strategy": by}) for i, by in enumerate("aab")]
    >>> strategies(trials, "c"), strategies([], "c")
    ('a then b', 'c')
    """
    return (
        " then ".join(dict.fromkeys(trial.record.get(STRATEGY, name) for trial in trials)) or name
    )


def best_trial(trials: Sequence[Trial]) -> Trial:
    """The complete trial of the longest training with the highest score; of equals that of the
    fewest MACs, then the earliest. `SearchError` where there is none.
    """
    if not complete(trials):
        reasons = [trial.reason for trial in trials if trial.reason]
        why = f"; the last failed with {reasons[-1]}" if reasons else ""
        raise SearchError(f"no trial of {len(trials)} is complete{why}")
    return max(longest(trials), key=lambda trial: (trial.points, -trial.costs.get("macs", 0.0)))


def best_so_far(trials: Sequence[Trial]) -> list[float]:
    """The highest score so far after each complete trial of the longest training."""
    return list(accumulate([trial.points for trial in longest(trials)], max))
