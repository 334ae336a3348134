"""`netwright summary NET`: shapes, costs and receptive fields, layer by layer."""

from __future__ import annotations

from typing import Any

import click

from netwright.cli.code import is_code
from netwright.cli.complete import values
from netwright.cli.loading import load_net, load_plan
from netwright.cli.options import (
    as_count,
    classes_option,
    file_option,
    form_options,
    net_argument,
    plan_options,
    reads,
)
from netwright.cli.output import echo, echo_json, save, say, terminal
from netwright.core.memory import OPTIMISERS
from netwright.core.plan import Plan
from netwright.core.shape import Shape
from netwright.errors import ShapeError, TraceError
from netwright.report.ranking import SORTS, ranked
from netwright.space.budget import size

__all__ = ["command"]


@click.command("summary")
@net_argument
@click.option(
    "--depth",
    callback=as_count,
    metavar="N",
    help="1 for stages, 2 for blocks; all units if not given",
)
@plan_options
@click.option("--train", metavar="OPTIMISER", help="also what training needs, as with adamw or sgd",
              shell_complete=values(lambda: OPTIMISERS))  # fmt: skip
@click.option("--fit", "limit", callback=reads(size), metavar="BYTES",
              help="also the largest batch that fits, such as 24GB")  # fmt: skip
@click.option("--sort", metavar="COLUMN", shell_complete=values(lambda: SORTS),
              help="most first: params, macs, ops, memory, field; or run")  # fmt: skip
@classes_option
@form_options(json="rows, groups and totals as JSON",
              csv="rows, or groups with --depth, as CSV",
              markdown="the table as Markdown")  # fmt: skip
@file_option("--html", "write a page with charts instead")
def command(
    net: str,
    depth: int | None,
    input: Shape | None,
    input_dtype: Any,
    run: bool,
    batch: int,
    dtype: str,
    train: str | None,
    limit: int | None,
    sort: str | None,
    classes: int | None,
    form: str | None,
    html: str | None,
) -> None:
    """Shapes, parameters, MACs, memory and receptive fields of NET, layer by layer.

    NET is a name (see `netwright nets`), a file written by `Net.to_json`, or
    `package.module:factory`, your own torch.nn.Module; that one needs --input.
    """
    width, bold = terminal()
    try:
        plan = load_plan(net, input, classes, dtype=dtype, batch=batch, input_dtype=input_dtype,
                         run=run)  # fmt: skip
    except (ShapeError, TraceError) as error:
        if error.rows:
            from netwright.report.table import layer_table

            say(layer_table(error.rows, depth=depth, width=width))
        raise
    from netwright.report.totals import fit_total, latency_total, training_totals

    more = latency_total(plan)
    more += training_totals(plan, train) if train else []
    more += fit_total(plan, limit, train) if limit is not None else []
    if html:
        from netwright.drawing.pages import summary_page
        from netwright.report.outline import outline

        tree = None if is_code(net) else outline(load_net(net, input, classes))
        save(summary_page(plan, depth, more, tree=tree, sort=sort), html)
    if form == "json":
        from netwright.report.record import plan_record

        echo_json(plan_record(plan, depth or 1, train, limit))
    elif form == "csv":
        click.echo(_csv(plan, depth, sort), nl=False)
    elif form == "markdown":
        from netwright.report.markdown import plan_markdown

        echo(plan_markdown(plan, depth, sort, more))
    elif not html:
        from netwright.report.table import plan_table

        echo(plan_table(plan, depth, sort=sort, width=width, bold=bold, more=more))


def _csv(plan: Plan, depth: int | None, sort: str | None) -> str:
    """A line a unit, or a group at `depth`."""
    from netwright.report.record import csv_text, group_record, row_record

    size, groups = plan.item * plan.batch, ranked(plan.rows, sort, depth)
    return csv_text([group_record(group, size) if depth else row_record(group.rows[0], size)
                     for group in groups])  # fmt: skip
