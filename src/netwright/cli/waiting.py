"""What a command says while it works, to people at a terminal: never on stdout, nor in a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from netwright.cli.output import say

__all__ = ["Advance", "animated", "waiting"]


class Advance(Protocol):
    """Takes how much is done and of how much; a share of it by default."""

    def __call__(self, done: float, of: int = 1) -> None: ...


def animated() -> bool:
    """Whether stderr is a terminal that can take a line back."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def waiting(text: str, *, still: bool = False, quiet: bool = False) -> Generator[Advance]:
    """Shows that `text` is going on, for as long as it does; what it gives takes how much is done
    and of how much. One that is `still` does nothing between these calls, while a clock runs.
    """
    if quiet or not animated():
        if not quiet and sys.stderr is not None and sys.stderr.isatty():
            say(f"{text} ...")
        yield lambda done, of=1: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn(
        "{task.fields[share]}")  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, auto_refresh=not still) as progress:
        task = progress.add_task(text, total=None, share="")

        def advance(done: float, of: int = 1) -> None:
            share = f"{done} of {of}" if of > 1 else ""
            progress.update(task, completed=done, total=of, share=share, refresh=still)

        yield advance
