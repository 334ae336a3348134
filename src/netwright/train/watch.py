"""What a run tells about itself while it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netwright.data.dataset import Dataset
    from netwright.train.approach import Approach
    from netwright.train.job import Job
    from netwright.train.run import Run

__all__ = ["Epoch", "Watch"]


@dataclass(frozen=True)
class Epoch:
    """One epoch of one trial, and how far the whole run is.

    `share` is the part of all training that is done, `left` the seconds that the rest will
    take at the pace so far; `row` is what metrics.jsonl says of the epoch. There is no
    `accuracy` where the images of validation are learnt from.
    """

    epoch: int
    loss: float
    accuracy: float | None
    share: float
    left: float
    row: dict[str, Any] = field(default_factory=dict)


class Watch:
    """Is told of everything and does nothing; override what you want to see."""

    def say(self, text: str) -> None:
        """A line for people."""

    def data(self, dataset: Dataset) -> None:
        """The images have been read."""

    def planned(self, job: Job) -> None:
        """The nets to train and their schedule stand."""

    def begun(self, run: Run) -> None:
        """The run folder is there, begun now or to be gone on with."""

    def epoch(self, trial: Approach, epoch: Epoch) -> None:
        """An epoch is over and its checkpoint written."""

    def step(self, what: str, share: float, left: float) -> None:
        """So much of what takes long, but is no epoch, is done; it takes `left` seconds more."""

    def steps(self, what: str) -> Callable[[float], None]:
        """Hears which share of the work is done, and tells of it with the seconds that are left."""
        began = monotonic()

        def tell(share: float) -> None:
            self.step(what, share, (monotonic() - began) * (1 - share) / share)

        return tell

    def finished(self, run: Run) -> None:
        """The winner is tested, and everything written."""

    def close(self) -> None:
        """The run is over, or broken off."""
