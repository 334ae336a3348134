"""`netwright work STUDY`: another machine for a search that was begun elsewhere."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

import click

from netwright.cli import complete
from netwright.cli.options import quiet_option
from netwright.cli.output import echo, say
from netwright.cli.searching import (
    Progress,
    interrupt,
    minutes_option,
    storage_option,
    workers_option,
)
from netwright.core.machine import need_memory
from netwright.report.numbers import counted

__all__ = ["command"]


@click.command("work")
@click.argument("study", shell_complete=complete.files)
@storage_option
@workers_option
@click.option("--data", default="", metavar="PATH", shell_complete=complete.files,
              help="where the images are on this machine (as the search was begun)")  # fmt: skip
@minutes_option
@quiet_option
def command(
    study: str, storage: str, workers: int, data: str, minutes: float | None, quiet: bool
) -> None:
    """Try nets for a search that was begun with `netwright search`, until all are tried.

    STUDY is its folder, or its name in --storage postgresql://... Everything else is read from
    the study; the images must be the same. Under `torchrun` all processes train one net.
    """
    need_memory()
    from netwright.search.engine.home import Home
    from netwright.search.engine.team import team_work

    first = os.environ.get("RANK", "0") == "0"
    progress = Progress(None, minutes, quiet=quiet or not first)
    home = Home(study, storage, progress.say, wait="://" in storage)
    with suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, interrupt)
    try:
        why = team_work(home, workers=workers, data=data, progress=progress,
                        seconds=60 * minutes if minutes else float("inf"))  # fmt: skip
    except KeyboardInterrupt:
        say("\nstopped; the trial that ran is left to others")
        sys.exit(130)
    if first:
        echo(f"{home.name}: {counted(progress.ended, 'trial')} here; {why}")
