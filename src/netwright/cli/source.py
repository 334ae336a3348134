"""`netwright source NET`: a net as PyTorch source."""

from __future__ import annotations

import click

from netwright.cli.loading import load_net
from netwright.cli.options import classes_option, file_option, input_option, net_argument
from netwright.cli.output import save
from netwright.core.shape import Shape

__all__ = ["command"]


@click.command("source")
@net_argument
@classes_option
@input_option
@file_option("--out", "write it there instead of to the terminal")
def command(net: str, classes: int | None, input: Shape | None, out: str | None) -> None:
    """NET as a PyTorch file that needs nothing but torch: its blocks as classes, with the
    outputs and the state_dict keys of the net that `Net.build` makes.

    NET is a name (see `netwright nets`) or a file written by `Net.to_json`.
    """
    text = load_net(net, input, classes).source()
    if out:
        save(text, out)
    else:
        click.echo(text, nl=False)
