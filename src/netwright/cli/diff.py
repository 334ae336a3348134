"""`netwright diff A B`: what changed between two nets, and what it costs."""

from __future__ import annotations

import click

from netwright.cli.complete import nets
from netwright.cli.loading import load_net
from netwright.cli.options import json_option
from netwright.cli.output import tell_change

__all__ = ["command"]


@click.command("diff")
@click.argument("before", shell_complete=nets)
@click.argument("after", shell_complete=nets)
@json_option
def command(before: str, after: str, as_json: bool) -> None:
    """Parts in which the net AFTER differs from BEFORE, and what that costs.

    Each is a name (see `netwright nets`) or a file written by `Net.to_json`.
    """
    tell_change(load_net(before), load_net(after), as_json, None)
