"""`netwright diff A B`: what changed between two nets, and what it costs."""

from __future__ import annotations

import click

from netwright.cli.common import echo, echo_json, load_net

__all__ = ["command"]


@click.command("diff")
@click.argument("before")
@click.argument("after")
@click.option("--json", "as_json", is_flag=True, help="changes and totals as JSON")
def command(before: str, after: str, as_json: bool) -> None:
    """Parts in which the net AFTER differs from BEFORE, and what that costs.

    Each is a name (see `netwright nets`) or a file written by `Net.to_json`.
    """
    from netwright.core.diff import diff
    from netwright.report.changes import diff_record, diff_text

    made = diff(load_net(before), load_net(after))
    if as_json:
        echo_json(diff_record(made))
    else:
        echo(diff_text(made))
