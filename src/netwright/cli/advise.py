"""`netwright advise NET`: what does little for its cost, and what would mend it."""

from __future__ import annotations

import click

from netwright.advice import Finding
from netwright.cli.loading import load_net
from netwright.cli.options import as_count, file_option, input_option, json_option, net_argument
from netwright.cli.output import columns, echo, echo_json, tell_change
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.errors import RuleError

__all__ = ["command"]


@click.command("advise")
@net_argument
@input_option
@click.option(
    "--object",
    "side",
    callback=as_count,
    metavar="PIXELS",
    help="side of what is to be told apart, where it is smaller than the image",
)
@click.option("--apply", "marks", metavar="1a,2b", help="take these remedies, in this order")
@file_option("--out", "where to write the net that --apply makes")
@json_option
def command(
    net: str,
    input: Shape | None,
    side: int | None,
    marks: str | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Layers of NET that do little for their cost, each with rewrites and what they change.

    Looked at are what units see at the input (or of an object), kernels larger than their
    map, hot spots, heavy heads, width without rank, biases without effect, odd widths.
    NET is a name (see `netwright nets`) or a file written by `Net.to_json`.
    """
    from netwright.advice import advise
    from netwright.report.advice import advice_record, advice_text

    given = load_net(net, input)
    findings = advise(given, object=side)
    if marks is not None:
        _apply(given, findings, marks, out, as_json)
    elif out is not None:
        raise RuleError("--out wants --apply: which remedies to take, such as --apply 1a")
    elif as_json:
        echo_json(advice_record(given, findings))
    else:
        echo(advice_text(given, findings, columns(96)))


def _apply(net: Net, findings: list[Finding], marks: str, out: str | None, as_json: bool) -> None:
    from netwright.report.advice import mark

    remedies = {
        mark(i, j): remedy
        for i, finding in enumerate(findings)
        for j, remedy in enumerate(finding.remedies)
    }
    wanted = [word.strip() for word in marks.split(",")]
    for word in wanted:
        if word not in remedies:
            there = ", ".join(remedies) or "none"
            raise RuleError(f"--apply: there is no remedy {word!r}; there are: {there}")
    rules = dict.fromkeys(rule for word in wanted for rule in remedies[word].rules)
    tell_change(net, net.rewrite(*rules), as_json, out)
