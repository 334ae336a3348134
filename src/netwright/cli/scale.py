"""`netwright scale NET --budget ...`: the largest scaling that fits."""

from __future__ import annotations

import click

from netwright.cli.complete import budgets, values
from netwright.cli.loading import load_net
from netwright.cli.options import file_option, json_option, net_argument
from netwright.cli.output import tell_change

__all__ = ["command"]


@click.command("scale")
@net_argument
@click.option("--budget", "bounds", required=True, metavar="BOUNDS", shell_complete=budgets,
              help="such as 'macs<=300M, params<=5M'")  # fmt: skip
@click.option("--by", default="compound", metavar="WAY",
              shell_complete=values(lambda: ("width", "depth", "resolution", "compound")),
              help="width, depth, resolution, or compound: all three (compound)")  # fmt: skip
@file_option("--out", "write the new net as JSON")
@json_option
def command(net: str, bounds: str, by: str, out: str | None, as_json: bool) -> None:
    """NET as large as a budget lets it be, wider, deeper or at another resolution.

    NET is a name (see `netwright nets`) or a file written by `Net.to_json`. Compound scaling
    is EfficientNet's: depth 1.2^phi, width 1.1^phi, image size 1.15^phi.
    """
    from netwright.space.budget import Budget
    from netwright.space.scaling import scale

    before = load_net(net)
    after = scale(before, **Budget.parse(bounds).bounds(), by=by)
    tell_change(before, after, as_json, out)
