"""What commands print and write, within the width of the terminal."""

from __future__ import annotations

import json
import os
import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

import click

from netwright.core.net import Net
from netwright.errors import NetwrightError

if TYPE_CHECKING:
    from netwright.drawing.html import Page

__all__ = [
    "DIGITS",
    "columns",
    "echo",
    "echo_json",
    "save",
    "say",
    "tell_change",
    "terminal",
    "whole",
]

DIGITS = 18
"""The longest whole number that an option or COLUMNS takes."""


def whole(text: str) -> int | None:
    """The whole number of at least 1 that a text is; None for any other text."""
    digits = text.isascii() and text.isdigit() and len(text) <= DIGITS
    return (int(text) or None) if digits else None


def terminal() -> tuple[int | None, bool]:
    """Columns to write and whether to write bold: no limit and plain where it is a file, as many
    as COLUMNS says where it is set.
    """
    if sys.stdout is None or not sys.stdout.isatty():
        return whole(os.environ.get("COLUMNS", "")), False
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return get_terminal_size().columns, not plain


def columns(most: int | None = None) -> int | None:
    """Columns to write, at most so many."""
    width, _ = terminal()
    return width if most is None else min(width or most, most)


def echo(text: str) -> None:
    """Print, with `?` for what the terminal cannot show."""
    coding = getattr(sys.stdout, "encoding", None) or "utf-8"
    click.echo(text.encode(coding, "replace").decode(coding), color=True)


def say(text: str) -> None:
    """Print to stderr, for as long as somebody reads it: work goes on behind a `| head`."""
    try:
        click.echo(text, err=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def echo_json(record: dict[str, Any]) -> None:
    """Print a record as JSON; the first key says by which schema its keys are meant."""
    from netwright.report.record import SCHEMA

    click.echo(json.dumps({"schema": SCHEMA, **record}, indent=2))


def tell_change(before: Net, after: Net, as_json: bool, out: str | None) -> None:
    """Print what changed between two nets, and write the new one."""
    from netwright.core.diff import diff
    from netwright.report.changes import diff_record, diff_text

    change = diff(before, after)
    if as_json:
        echo_json(diff_record(change))
    else:
        echo(diff_text(change, columns()))
    if out is not None:
        save(after.to_json(indent=2) + "\n", out)


def save(page: Page | str, path: str) -> None:
    """Write a page, or any text, and say so."""
    from netwright.core.files import write_text

    try:
        write_text(path, page if isinstance(page, str) else page.render())
    except OSError as error:
        raise NetwrightError(f"cannot write {path}: {error.strerror}") from None
    say(f"wrote {path}")
