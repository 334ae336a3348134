"""What a search has come to: its trials in order, the best net, the front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from netwright.core.net import Net
from netwright.errors import SearchError
from netwright.search.front import front
from netwright.search.strategy import complete
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["Best", "Study"]


@dataclass(frozen=True)
class Best:
    """The trial with the highest score, and its net."""

    trial: Trial
    net: Net

    @property
    def score(self) -> float:
        """What the evaluator said of it."""
        assert self.trial.score is not None
        return self.trial.score

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
        done = complete(self.trials)
        if not done:
            reasons = [trial.reason for trial in self.trials if trial.reason]
            why = f"; the last failed with {reasons[-1]}" if reasons else ""
            raise SearchError(f"no trial of {len(self.trials)} is complete{why}")
        most = max(trial.fidelity for trial in done)
        best = max((trial for trial in done if trial.fidelity == most), key=_score)
        return Best(best, self.space.net(best.code))

    def front(self, *costs: str) -> list[Trial]:
        """The trials that none beats in score and costs (`params`, `macs`) at once, by score from
        the highest.
        """
        return front(complete(self.trials), costs or ("params", "macs"))

    def curve(self) -> list[float]:
        """The best score so far after each complete trial."""
        best, curve = float("-inf"), list[float]()
        for trial in complete(self.trials):
            best = max(best, _score(trial))
            curve.append(best)
        return curve


def _score(trial: Trial) -> float:
    assert trial.score is not None
    return trial.score
