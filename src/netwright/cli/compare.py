"""`netwright compare A B ...`: nets side by side."""

from __future__ import annotations

from typing import Any

import click

from netwright.cli.complete import values
from netwright.cli.loading import load_plan
from netwright.cli.options import file_option, form_options, nets_argument, plan_options
from netwright.cli.output import columns, echo, echo_json, save
from netwright.core.shape import Shape
from netwright.report.ranking import PLANS, ordered

__all__ = ["command"]


@click.command("compare")
@nets_argument
@plan_options
@click.option(
    "--sort",
    metavar="COLUMN",
    shell_complete=values(lambda: PLANS),
    help="least first: name, params, macs, ops, activations, memory, field",
)
@form_options(json="totals, ratios and stages as JSON", csv="totals and ratios as CSV",
              markdown="totals and ratios as Markdown")  # fmt: skip
@file_option("--html", "write a page with charts instead")
def command(
    nets: tuple[str, ...],
    input: Shape | None,
    input_dtype: Any,
    run: bool,
    batch: int,
    dtype: str,
    sort: str | None,
    form: str | None,
    html: str | None,
) -> None:
    """Totals of NETS with ratios to the first, and what each of their stages costs.

    Each of NETS is a name (see `netwright nets`), a file written by `Net.to_json`, or
    `package.module:factory`, your own torch.nn.Module; that one needs --input.
    """
    plans = [
        load_plan(net, input, dtype=dtype, batch=batch, input_dtype=input_dtype, run=run)
        for net in nets
    ]
    first, plans = plans[0], ordered(plans, sort)
    if html:
        from netwright.drawing.pages import compare_page

        save(compare_page(plans, first), html)
    if form in ("json", "csv"):
        from netwright.report.record import compare_record, csv_text

        record = compare_record(plans, first)
        if form == "json":
            echo_json(record)
        else:
            rows = [{k: v for k, v in net.items() if k != "groups"} for net in record["nets"]]
            click.echo(csv_text(rows), nl=False)
    elif form == "markdown":
        from netwright.report.markdown import compare_markdown

        echo(compare_markdown(plans, first))
    elif not html:
        from netwright.report.compare import compare_text

        echo(compare_text(plans, first, columns()))
