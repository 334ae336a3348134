"""Reinforcement learning: a controller writes codes, and better ones become likelier."""

from __future__ import annotations

import copy
import random as rng
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netwright.errors import SearchError
from netwright.search.strategy import Proposal, Strategy, complete, named, new
from netwright.search.trial import Trial
from netwright.space.search_space import Digits, Space

if TYPE_CHECKING:
    from netwright.search.policy import Policy

__all__ = ["Controller"]

History = tuple[tuple[Digits, float], ...]
_learnt: OrderedDict[Any, Policy] = OrderedDict()
"""Controllers by what they have seen, so that they need not see it again; nothing but speed
depends on them."""
KEPT = 8


@named("reinforce", clip=0.0, epochs=1)
@named("ppo")
@dataclass(frozen=True)
class Controller(Strategy):
    """An LSTM that makes one choice after the other, its probabilities moved towards choices of
    scores above the moving mean (Zoph & Le 2016, arXiv:1611.01578). `ppo` takes several steps on
    a batch, clipped (Schulman et al. 2017, arXiv:1707.06347), as NASNet's did (arXiv:1707.07012).

    It learns from all complete trials, in order, whoever asked for them.

    hidden: units of the LSTM
    rate: learning rate of Adam
    batch: trials a step
    epochs: steps on a batch
    clip: how far a step may move a probability, as a share of it; 0 leaves it free
    entropy: weight of the entropy, which keeps the controller curious
    decay: of the moving mean of scores
    """

    hidden: int = 64
    rate: float = 0.01
    batch: int = 5
    epochs: int = 4
    clip: float = 0.2
    entropy: float = 0.02
    decay: float = 0.95

    def __post_init__(self) -> None:
        if min(self.hidden, self.batch, self.epochs) < 1 or not 0 < self.rate <= 1:
            raise SearchError(f"{self}: wanted hidden, batch and epochs of at least 1, and a rate "
                              "above 0 and at most 1")  # fmt: skip

    def ask(self, space: Space, trials: Sequence[Trial], random: rng.Random) -> Proposal:
        done = complete(trials)
        done = done[: len(done) - len(done) % self.batch]
        history = tuple([(space.choices(trial.code), trial.points) for trial in done])
        policy = self._policy(tuple([len(digit.options) for digit in space.digits]), history)
        return Proposal(new(space, trials, random, lambda: policy.code(space, random)))

    def _policy(self, sizes: tuple[int, ...], history: History) -> Policy:
        """The controller that has seen `history`."""
        from netwright.search.policy import Policy

        seen = len(history)
        while seen and (self, sizes, history[:seen]) not in _learnt:
            seen -= self.batch
        if seen:
            policy = copy.deepcopy(_learnt[self, sizes, history[:seen]])
        else:
            policy = Policy(sizes, self.hidden, self.rate)
        for start in range(seen, len(history), self.batch):
            policy.learn(history[start : start + self.batch], self.epochs, self.clip,
                         self.entropy, self.decay)  # fmt: skip
        _learnt[self, sizes, history] = policy
        while len(_learnt) > KEPT:
            _learnt.popitem(last=False)
        return policy
