"""`netwright rewrite NET RULE...`: a net after named rules, and what that costs."""

from __future__ import annotations

from textwrap import wrap

import click

from netwright.cli.common import echo, load_net, tell_change

__all__ = ["command"]

WIDTH = 100


def _listed(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """The callback of --list: say what rules there are, and end."""
    if value:
        from netwright.rules.registry import names, usage

        uses = [usage(name) for name in names()]
        echo("\n".join("\n    ".join([text, *wrap(about, WIDTH - 4)]) for text, about in uses))
        ctx.exit()


@click.command("rewrite")
@click.argument("net")
@click.argument("rules", nargs=-1, required=True, metavar="RULE...")
@click.option("--out", metavar="FILE", help="write the new net as JSON")
@click.option("--json", "as_json", is_flag=True, help="changes and totals as JSON")
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_listed,
              help="the rules there are, and what they do")  # fmt: skip
def command(net: str, rules: tuple[str, ...], out: str | None, as_json: bool) -> None:
    """NET after each RULE in turn, such as stem-3x3, widen:2 or act:GELU, and what changed.

    NET is a name (see `netwright nets`) or a file written by `Net.to_json` or --out, which
    all commands that take a net can read. Nothing is written without --out.
    """
    before = load_net(net)
    after = before.rewrite(*rules).but(name="+".join([before.name, *rules]))
    tell_change(before, after, as_json, out)
