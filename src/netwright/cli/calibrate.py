"""`netwright calibrate`: measures this machine once."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from netwright.cli.options import Command, as_count, dtype_option, json_option
from netwright.cli.output import echo, echo_json
from netwright.cli.waiting import waiting
from netwright.core.machine import need_memory

if TYPE_CHECKING:
    from netwright.speed.latency import Setting

__all__ = ["command", "running", "setting_options"]

RUNNABLE = ("float32", "bfloat16", "float16")

THREADS = 1024
"""More than any machine runs."""


def setting_options(command: Command) -> Command:
    """The options that say how nets are run; `running` takes them."""
    for option in (
        click.option("--channels-last", is_flag=True, help="channels last in memory"),
        dtype_option(RUNNABLE, "float32, bfloat16 or float16 (float32)"),
        click.option("--threads", callback=as_count, metavar="N",
                     help="processor threads (PyTorch's own)"),
    ):  # fmt: skip
        command = option(command)
    return command


def running(threads: int | None, dtype: str, channels_last: bool) -> Setting:
    """The setting that the options name; PyTorch runs with that many threads from now on."""
    need_memory()
    import torch

    from netwright.core.plan import ALIASES
    from netwright.errors import SpecError
    from netwright.speed.measure import setting

    dtype = ALIASES.get(dtype, dtype)
    if dtype not in RUNNABLE:
        raise SpecError(f"--dtype {dtype!r} cannot be run; wanted float32, bfloat16 or float16")
    if threads and threads > THREADS:
        raise SpecError(f"--threads {threads:,} are more than any machine runs; "
                        f"wanted at most {THREADS:,}")  # fmt: skip
    if threads:
        torch.set_num_threads(threads)
    return setting(dtype, channels_last)


@click.command("calibrate")
@setting_options
@json_option
def command(threads: int | None, dtype: str, channels_last: bool, as_json: bool) -> None:
    """Measure the rates of this machine, by which plans then tell a predicted latency.

    Takes half a minute on a machine that does nothing else; the rates of every setting are
    kept in the user's cache folder. `netwright bench NET` says how good they are.
    """
    from netwright.speed.latency import keep, kinds, need_file

    need_file()
    with waiting("loading PyTorch"):
        from netwright.speed.measure import calibrate

        how = running(threads, dtype, channels_last)
    with waiting("measuring", still=True) as advance:
        rates = calibrate(how, advance)
    where = keep(rates)
    if as_json:
        echo_json(asdict(rates))
        return
    echo(str(how))
    for name in kinds():
        overhead, work, *_, moved, _ = rates.seconds[name]
        parts = [f"{1e6 * overhead:.3g} us each"] if overhead else []
        parts += [f"{1e-9 / work:.3g} G a second"] if work else []
        parts += [f"{1e-9 / moved:.3g} GB a second"] if moved else []
        echo(f"  {name:12} {', '.join(parts)}")
    echo(f"error on nets held out: {100 * rates.error:.0f}%; kept in {where}")
