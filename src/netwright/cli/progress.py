"""How far a run is: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netwright.cli.output import say
from netwright.cli.waiting import animated
from netwright.report.numbers import counted, duration
from netwright.train import lines
from netwright.train.watch import Epoch, Watch

if TYPE_CHECKING:
    from netwright.train.approach import Approach
    from netwright.train.job import Job

__all__ = ["Lines", "Live", "progress"]


def progress(*, quiet: bool) -> Watch:
    """The watch for this terminal, or for none; everything goes to stderr."""
    if quiet:
        return Watch()
    return Live() if animated() else Lines()


class Lines(lines.Lines):
    """A line for everything that happens."""

    def say(self, text: str) -> None:
        say(text)


class Live(Lines):
    """One bar for the whole run under the lines that stay."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[left]}"), console=Console(stderr=True), transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("reading images", total=None, left="")
        self._bar.start()
        self._trial, self._last = "", ""

    def say(self, text: str) -> None:
        last, self._last = self._last, ""
        for line in filter(None, (last, text)):
            self._bar.console.print(line, highlight=False, markup=False)

    def planned(self, job: Job) -> None:
        super().planned(job)
        self._bar.update(self._task, description="training", total=1.0)

    def epoch(self, trial: Approach, epoch: Epoch) -> None:
        if trial.name != self._trial:
            self.say("")
        self._trial = trial.name
        figure = (f"loss {epoch.loss:.3f}" if epoch.accuracy is None
                  else f"{100 * epoch.accuracy:.1f}% on validation")  # fmt: skip
        self._last = f"{trial.name}: {figure} after {counted(epoch.epoch, 'epoch')}"
        now = f"{trial.name} {epoch.epoch}/{trial.epochs}, {figure}"
        self._bar.update(self._task, completed=epoch.share, description=now,
                         left=f"{duration(epoch.left)} left")  # fmt: skip

    def step(self, what: str, share: float, left: float) -> None:
        self._bar.update(self._task, completed=share, description=what,
                         left=f"{duration(left)} left")  # fmt: skip

    def close(self) -> None:
        self.say("")
        self._bar.stop()
