"""`netwright compare A B ...`: nets side by side."""

from __future__ import annotations

import click

from netwright.cli.common import echo, echo_json, load_plan, plan_options, save
from netwright.core.shape import Shape

__all__ = ["command"]


@click.command("compare")
@click.argument("nets", nargs=-1, required=True)
@plan_options
@click.option("--json", "form", flag_value="json", help="totals, ratios and stages as JSON")
@click.option("--csv", "form", flag_value="csv", help="totals and ratios as CSV")
@click.option("--html", metavar="FILE", help="write a page with charts instead")
def command(
    nets: tuple[str, ...],
    input: Shape | None,
    batch: int,
    dtype: str,
    form: str | None,
    html: str | None,
) -> None:
    """Totals of NETS with ratios to the first, and what each of their stages costs.

    Each of NETS is a name (see `netwright nets`), a file written by `Net.to_json`, or
    `package.module:factory`, your own torch.nn.Module; that one needs --input.
    """
    plans = [load_plan(net, input, dtype=dtype, batch=batch) for net in nets]
    if html:
        from netwright.report.pages import compare_page

        save(compare_page(plans), html)
    if form:
        from netwright.report.record import compare_record, csv_text

        record = compare_record(plans)
        if form == "json":
            echo_json(record)
        else:
            rows = [{k: v for k, v in net.items() if k != "groups"} for net in record["nets"]]
            click.echo(csv_text(rows), nl=False)
    elif not html:
        from netwright.report.compare import compare_text

        echo(compare_text(plans))
