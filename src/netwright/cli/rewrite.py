"""`netwright rewrite NET RULE...`: a net after named rules, and what that costs."""

from __future__ import annotations

import click

from netwright.cli.complete import nets
from netwright.cli.complete import rules as rule_names
from netwright.cli.loading import load_net
from netwright.cli.options import file_option, json_option
from netwright.cli.output import columns, echo, echo_json, tell_change
from netwright.errors import RuleError

__all__ = ["command"]

WIDTH = 100


@click.command("rewrite")
@click.argument("net", required=False, shell_complete=nets)
@click.argument("rules", nargs=-1, metavar="RULE...", shell_complete=rule_names)
@file_option("--out", "write the new net as JSON")
@json_option
@click.option("--list", "listing", is_flag=True, help="the rules there are, and what they do")
def command(
    net: str | None, rules: tuple[str, ...], out: str | None, as_json: bool, listing: bool
) -> None:
    """NET after each RULE in turn, such as stem-3x3, widen:2 or act:GELU, and what changed.

    NET is a name (see `netwright nets`) or a file written by `Net.to_json` or --out, which
    all commands that take a net can read. Nothing is written without --out.
    """
    if listing:
        _list(as_json)
        return
    if net is None or not rules:
        raise RuleError("rewrite wants NET RULE..., such as: netwright rewrite resnet50 widen:2; "
                        "--list tells the rules")  # fmt: skip
    before = load_net(net)
    tell_change(before, before.rewrite(*rules), as_json, out)


def _list(as_json: bool) -> None:
    """What rules there are."""
    from netwright.report.table import wrapped
    from netwright.rules.registry import names, usage

    uses = [(name, *usage(name)) for name in names()]
    if as_json:
        echo_json({"rules": [{"name": name, "usage": text, "about": about}
                             for name, text, about in uses]})  # fmt: skip
        return
    width = columns(WIDTH)
    echo("\n".join(line for _, text, about in uses
                   for line in [text, *wrapped("    " + about, width, 4)]))  # fmt: skip
