"""`netwright compare-runs A B`: whether one run is better than another, or only luckier."""

from __future__ import annotations

from typing import Any

import click

from netwright.cli.complete import files, runs
from netwright.cli.options import json_option, quiet_option, split_option
from netwright.cli.output import echo, echo_json
from netwright.cli.waiting import waiting

__all__ = ["command"]


@click.command("compare-runs")
@click.argument("first", shell_complete=runs)
@click.argument("second", shell_complete=runs)
@click.argument("data", required=False, shell_complete=files)
@split_option
@json_option
@quiet_option
def command(
    first: str, second: str, data: str | None, split: str, as_json: bool, quiet: bool
) -> None:
    """Whether run SECOND is better than run FIRST: a paired test (McNemar's, exact) on the test
    images of both, or on the labelled images in DATA; of those that a run was fitted to only
    such as neither has learnt from.
    """
    from netwright.data.dataset import load
    from netwright.train.evaluation import compare, evaluate, tested
    from netwright.train.run import Run
    from netwright.train.unseen import asked

    opened = [Run.load(name) for name in (first, second)]
    if data is None:
        results = [tested(run) for run in opened]
    else:
        dataset = load(data, learn=False)
        with waiting("evaluating", quiet=quiet) as tell:
            images = asked(opened, dataset, split)
            results = [evaluate([run], dataset, images=images, tell=tell) for run in opened]
    record: dict[str, Any] = {"runs": [first, second], **compare(*results)}
    if as_json:
        echo_json(record)
        return
    low, high = (100 * bound for bound in record["interval"])
    verdict = "no difference that chance would not make"
    if record["p"] < 0.05:
        verdict = f"{second if record['difference'] > 0 else first} is better"
    echo(
        f"{first}: {100 * record['first']:.2f}% of {record['images']} images right\n"
        f"{second}: {100 * record['second']:.2f}%, {100 * record['difference']:+.2f} points "
        f"(95% interval {low:+.2f} to {high:+.2f})\n"
        f"right in the first alone {record['only_first']}, in the second alone "
        f"{record['only_second']}; p = {record['p']:.3g}: {verdict}"
    )
