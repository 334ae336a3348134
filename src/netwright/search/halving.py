"""Many nets trained a little, the best of them further: successive halving and Hyperband."""

from __future__ import annotations

import random as rng
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from netwright.errors import SearchError
from netwright.search.strategy import Learnt, Proposal, Strategy, named, new
from netwright.search.trial import Trial
from netwright.space.search_space import Space

__all__ = ["SuccessiveHalving"]


@named("successive-halving", brackets=1)
@named("hyperband")
@dataclass(frozen=True)
class SuccessiveHalving(Strategy):
    """Nets at random get `least` of a training; the best 1 / `factor` of each rung get `factor`
    times as much, whenever one is due, so nobody waits (Li et al. 2018, ASHA, arXiv:1810.05934).
    Hyperband shares the nets out among brackets whose first rungs are higher and higher (Li et al.
    2016, arXiv:1603.06560).

    factor: how much more a net gets on the next rung, and of how many one gets it
    least: share of the whole training on the first rung, which is one epoch at least
    brackets: how many first rungs there are, from `least` upwards
    """

    factor: int = 3
    least: float = 1 / 27
    brackets: int = 3

    fidelities: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.factor < 2 or not 0 < self.least <= 1 or self.brackets < 1:
            raise SearchError(f"{self}: wanted a factor of at least 2, a least share above 0 and "
                              "at most 1, and at least one bracket")  # fmt: skip

    @property
    def rungs(self) -> list[float]:
        """The shares of a training, from the least to the whole."""
        shares = [1.0]
        while shares[0] / self.factor >= self.least * 0.999:
            shares.insert(0, shares[0] / self.factor)
        return shares

    def prepare(self, space: Space, evaluator: object, **given: Any) -> Learnt:
        """The share of a training that is one epoch, where the evaluator says how many it has."""
        learnt, epochs = super().prepare(space, evaluator, **given), getattr(evaluator, "epochs", 0)
        return {**learnt, "least": 1 / epochs} if epochs else learnt

    def prepared(self, learnt: Learnt) -> SuccessiveHalving:
        return replace(self, least=max(self.least, learnt.get("least", 0.0)))

    def ask(self, space: Space, trials: Sequence[Trial], random: rng.Random) -> Proposal:
        rungs = self.rungs
        own = [trial for trial in trials if "bracket" in trial.note]  # not of a strategy before
        for rung in range(len(rungs) - 2, -1, -1):
            gone = {trial.key for trial in trials if trial.fidelity == rungs[rung + 1]}
            if due := self._due(own, rungs[rung], gone):
                note = {"parent": due.number, "bracket": due.note["bracket"]}
                return Proposal(due.code, rungs[rung + 1], note)
        bracket = self._bracket(own, min(self.brackets, len(rungs)))
        return Proposal(new(space, trials, random), rungs[bracket], {"bracket": bracket})

    def _due(self, trials: Sequence[Trial], here: float, gone: set[str]) -> Trial | None:
        """The best net of a rung that belongs to the next and is not there yet, of any bracket."""
        rung = defaultdict[int, list[Trial]](list)
        for trial in trials:
            if trial.fidelity == here and trial.state == "complete":
                rung[trial.note["bracket"]].append(trial)
        for bracket in sorted(rung):
            best = sorted(rung[bracket], key=lambda trial: -trial.points)
            for trial in best[: len(best) // self.factor]:
                if trial.key not in gone:
                    return trial
        return None

    def _bracket(self, trials: Sequence[Trial], count: int) -> int:
        """The bracket that has had the smallest part of its share of new nets."""
        begun = defaultdict[int, int](int)
        for trial in trials:
            note = trial.note
            begun[note["bracket"]] += "parent" not in note
        shares = [self.factor ** (count - 1 - bracket) for bracket in range(count)]
        return min(range(count), key=lambda bracket: (begun[bracket] + 1) / shares[bracket])
