"""`netwright fit DATA`: from labelled images and a budget to a trained net and a report."""

from __future__ import annotations

import sys
from shlex import quote
from typing import Any

import click
from click.core import ParameterSource

from netwright.cli.common import as_count, echo, echo_json
from netwright.core.machine import need_memory

__all__ = ["command"]

BUDGET = "params<=1M, macs<=50M, memory<=20MB"


@click.command("fit")
@click.argument("data")
@click.option(
    "--budget", default=BUDGET, metavar="BOUNDS", help=f"what the net may cost ({BUDGET})"
)
@click.option("--minutes", type=float, default=10.0, metavar="N", help="time for all of it (10)")
@click.option(
    "--epochs",
    callback=as_count,
    metavar="N",
    help="epochs of the best net; fixes the schedule whatever the time",
)
@click.option("--out", metavar="RUN", help="folder of the run (runs/NAME)")
@click.option("--seed", type=int, default=0, metavar="N", help="same seed, same numbers (0)")
@click.option(
    "--size",
    callback=as_count,
    metavar="N",
    help="side to bring images to (their median, 8 to 64)",
)
@click.option("--flip", is_flag=True, help="mirror images in training; not for digits or letters")
@click.option("--resume", "again", is_flag=True, help="go on with the interrupted run in RUN")
@click.option("--json", "as_json", is_flag=True, help="print the result as JSON at the end")
@click.option("--quiet", is_flag=True, help="no progress")
@click.pass_context
def command(
    ctx: click.Context,
    data: str,
    out: str | None,
    again: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Fit a net to the labelled images in DATA, within a budget and a time.

    DATA is FOLDER/class/*.jpg|png, the same under train/, val/ and test/, or an .npz of
    arrays. Nets that suit the images and the budget are planned, the best few trained by
    successive halving, the winner picked on validation and tested once. RUN then holds the
    net, its weights, its figures and report.html.
    """
    need_memory()
    from netwright.cli.progress import progress
    from netwright.train.fitting import default_out, fit, resume

    folder = str(default_out(data)) if out is None else out
    watch = progress(quiet=quiet)
    try:
        if again:
            given = {name: value for name, value in options.items()
                     if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT}  # fmt: skip
            run = resume(folder, data, watch=watch, **given)
        else:
            run = fit(data, out=folder, watch=watch, **options)
    except KeyboardInterrupt:
        from netwright.train.fitting import resumable

        again_with = f"netwright fit {quote(data)} --out {quote(folder)} --resume"
        hint = f"go on with: {again_with}" if resumable(folder) else "nothing was written yet"
        click.echo(f"\nstopped; {hint}", err=True)
        sys.exit(130)
    finally:
        watch.close()  # a mistake may come before the run has begun; the cursor is hidden by then
    metrics = run.metrics
    if as_json:
        echo_json({"run": str(run.path), "report": str(run.path / "report.html"),
                   "seconds": run.record["seconds"], **metrics})  # fmt: skip
    else:
        from netwright.report.numbers import duration, human, human_bytes

        net, test = metrics["net"], metrics["test"]
        low, high = test["interval"]
        echo(
            f"{net['name']}: {100 * test['accuracy']:.2f}% of {test['images']} test images right "
            f"(95% interval {100 * low:.1f} to {100 * high:.1f}%)\n"
            f"{human(net['params'])} parameters, {human(net['macs'])} MACs, "
            f"{human_bytes(net['memory'])} of memory; {duration(run.record['seconds'])}\n"
            f"report   {run.path / 'report.html'}\n"
            f"predict  netwright predict {quote(str(run.path))} IMAGES"
        )
