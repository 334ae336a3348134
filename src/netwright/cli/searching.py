"""What the commands of a search share: where it is kept, how far it is, how it is stopped."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

import click

from netwright.cli import complete
from netwright.cli.options import as_count
from netwright.cli.output import say
from netwright.errors import SearchError
from netwright.report.numbers import duration

if TYPE_CHECKING:
    from netwright.search.trial import Trial

__all__ = ["Progress", "interrupt", "minutes_option", "storage_option", "workers_option"]

storage_option = click.option(
    "--storage", default="", metavar="WHERE",
    help="postgresql://USER:PASSWORD@HOST/DATABASE, or a file (study.journal in the folder)",
    shell_complete=complete.files,
)  # fmt: skip
workers_option = click.option(
    "--workers", callback=as_count, default="1", metavar="N", help="processes that try nets (1)"
)


def _as_minutes(_: object, option: click.Parameter, value: float | None) -> float | None:
    if value is not None and not value > 0:
        raise SearchError(f"--minutes is {value:g}, wanted a number above 0")
    return value


minutes_option = click.option(
    "--minutes", type=float, metavar="N", callback=_as_minutes, help="time for it (any)"
)


class Progress:
    """A line for every trial that ends, with the time left; stderr only."""

    def __init__(self, trials: int | None, minutes: float | None, *, quiet: bool) -> None:
        self.trials, self.minutes, self.quiet = trials, minutes, quiet
        self.began, self.ended = monotonic(), 0
        self.best: Trial | None = None

    def say(self, text: str) -> None:
        if not self.quiet:
            say(text)

    def __call__(self, trial: Trial) -> None:
        self.ended += 1
        if trial.score is None:
            self.say(f"trial {trial.number}  {trial.code}  failed: {trial.reason}")
            return
        from netwright.search.engine.measure import scored
        from netwright.search.study import best_trial

        self.best = best_trial([self.best, trial]) if self.best else trial
        self.say(f"trial {trial.number}  {trial.code}  {scored(trial)}  "
                 f"best {scored(self.best)}{self._left(trial.number)}")  # fmt: skip

    def _left(self, number: int) -> str:
        spent = monotonic() - self.began
        bounds = list[float]()
        if self.trials is not None:
            bounds.append(max(0, self.trials - number - 1) * spent / self.ended)
        if self.minutes is not None:
            bounds.append(max(0.0, 60 * self.minutes - spent))
        return f"  {duration(min(bounds))} left" if bounds else ""


def interrupt(*_: object) -> None:
    """What SIGTERM does: the same as Ctrl-C."""
    raise KeyboardInterrupt
