"""What a command says while it works, to people at a terminal: never on stdout, nor in a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import click

__all__ = ["waiting"]

Advance = Callable[[int, int], None]


@contextmanager
def waiting(text: str, *, still: bool = False) -> Generator[Advance]:
    """Shows that `text` is going on, for as long as it does; what it gives takes how much is done
    and of how much. One that is `still` does nothing between these calls, while a clock runs.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda done, of: None
        return
    if os.environ.get("TERM") == "dumb":  # it cannot take a line back
        click.echo(f"{text} ...", err=True)
        yield lambda done, of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn(
        "{task.fields[share]}")  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, auto_refresh=not still) as progress:
        task = progress.add_task(text, total=None, share="")

        def advance(done: int, of: int) -> None:
            share = f"{done} of {of}"
            progress.update(task, completed=done, total=of, share=share, refresh=still)

        yield advance
