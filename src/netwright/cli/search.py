"""`netwright search SPACE DATA`: nets tried on labelled images, and what is best so far."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Any

import click

from netwright.cli import complete
from netwright.cli.options import as_count, json_option, quiet_option
from netwright.cli.output import echo, echo_json, say
from netwright.cli.search_names import list_names, refuse_beside
from netwright.cli.searching import (
    Progress,
    interrupt,
    minutes_option,
    storage_option,
    workers_option,
)
from netwright.core.machine import need_memory
from netwright.errors import SearchError

__all__ = ["command"]


@click.command("search")
@click.argument("space", required=False, default="", shell_complete=complete.spaces)
@click.argument("data", required=False, default="", shell_complete=complete.files)
@click.option("--trials", callback=as_count, metavar="N",
              help="nets to try in all (100, or as many as --minutes allow)")  # fmt: skip
@minutes_option
@click.option("--strategy", default="default", metavar="NAME", shell_complete=complete.strategies,
              help="which net to try next (default), as in darts:epochs=20")  # fmt: skip
@click.option("--budget", default="", metavar="BOUNDS", help="what a net may cost: macs<=50M",
              shell_complete=complete.budgets)  # fmt: skip
@click.option("--recipe", default="resnet", metavar="NAME|FILE",
              help="how nets are trained (resnet)", shell_complete=complete.recipes)  # fmt: skip
@click.option("--epochs", callback=as_count, default="10", metavar="N",
              help="how long each is trained (10)")  # fmt: skip
@click.option("--size", callback=as_count, metavar="N", help="side to bring images to")
@click.option("--limit", type=float, metavar="SECONDS", help="longest time of one net (any)")
@click.option("--random", "beside", type=int, default=5, metavar="N",
              help="one net of N is at random, to compare with; 0 for none (5)")  # fmt: skip
@workers_option
@storage_option
@click.option("--out", metavar="STUDY", help="folder of the study (searches/SPACE-DATA)",
              shell_complete=complete.files)  # fmt: skip
@click.option("--seed", type=int, default=0, metavar="N", help="of everything random (0)")
@click.option("--show", metavar="STUDY", help="what is best so far in a study",
              shell_complete=complete.files)  # fmt: skip
@click.option("--export", nargs=2, metavar="STUDY FILE", help="write the best net as JSON")
@click.option("--again", metavar="STUDY", help="train the best net once more, by the same seed",
              shell_complete=complete.files)  # fmt: skip
@click.option("--trial", type=int, metavar="N", help="for --export, --again: the net of that trial")
@json_option
@quiet_option
def command(
    space: str, data: str, show: str | None, export: tuple[str, str] | None, again: str | None,
    trial: int | None, storage: str, workers: int, out: str | None, minutes: float | None,
    as_json: bool, quiet: bool, **options: Any,
) -> None:  # fmt: skip
    """Try nets of SPACE on the labelled images in DATA, and keep what came of each.

    SPACE is a name, with options as in nasbench201:width=8,depth=1; a .json file of a net with
    choices in it; or module:name in your own code. SPACE alone tells its size and draws a
    sample; without it all spaces and strategies are listed. DATA is as `fit` takes it; nets are
    compared on its validation images.

    Every trial is kept as it ends: the same command goes on with a study that was stopped or
    killed. With --storage in PostgreSQL other machines join by `netwright work STUDY`.
    """
    asked = {"--show": show, "--export": export, "--again": again, "SPACE": space or None}
    words = [word for word, value in asked.items() if value is not None]
    if len(words) > 1:
        raise SearchError(f"{' and '.join(words)} at once; wanted one of them")
    if trial is not None and export is None and again is None:
        raise SearchError(f"--trial {trial} is for --export and --again")
    if show is not None:
        _show(show, storage, as_json)
    elif export is not None:
        _export(*export, storage, trial, as_json)
    elif again is not None:
        _train_again(again, storage, trial, as_json)
    elif not space:
        refuse_beside(
            {"--json", "--quiet"},
            "without SPACE; wanted SPACE and DATA, or --show "
            "STUDY, or --export STUDY FILE; alone it lists spaces and strategies",
        )
        list_names(as_json)
    elif not data:
        refuse_beside(
            {"--budget", "--seed", "--json", "--quiet"},
            f"without DATA: a search needs images, as in netwright search {quote(space)} DATA",
        )
        _describe(space, options["budget"], options["seed"], as_json)
    else:
        first = "-".join(word for word in space.split(":") if "=" not in word).removesuffix(".json")
        name = f"{first}-{Path(os.path.realpath(data)).stem}"
        folder = out or str(Path("searches", Path(name).name))
        _search(space, data, folder, storage, workers, minutes, as_json, quiet, options)


def _search(
    space: str, data: str, folder: str, storage: str, workers: int, minutes: float | None,
    as_json: bool, quiet: bool, options: dict[str, Any],
) -> None:  # fmt: skip
    need_memory()
    from netwright.search.engine.home import Home
    from netwright.search.engine.setup import Setup
    from netwright.search.engine.shared import search_shared
    from netwright.search.engine.summary import summary, summary_text
    from netwright.train.recipe import read

    if options["trials"] is None and minutes is None:
        options["trials"] = 100
    options["recipe"] = read(options["recipe"]).to_json()
    setup = Setup(space, data, **options)
    progress = Progress(setup.trials, minutes, quiet=quiet)
    home = Home(folder, storage, progress.say)
    plan = setup.plan(home.folder)
    again = f"go on with the same command; {home.command('--show', 'STUDY')}"
    with suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, interrupt)
    try:
        ended = search_shared(
            plan, name=setup.strategy, storage=home.storage, study=home.name, workers=workers,
            seconds=60 * minutes if minutes else float("inf"),
            settings={"setup": setup.to_json()}, tell=progress.say, progress=progress,
        ).stopped  # fmt: skip
    except KeyboardInterrupt:
        say(f"\nstopped; all trials that ended are kept, {again}")
        sys.exit(130)
    with home.opened() as ledger:
        home.measure(ledger)
        record, trials = ledger.record, ledger.trials()
    state = summary(home.name, record, trials, ended)
    report = None if state["best"] is None else str(home.folder / "report.html")
    if report:
        home.write(record, trials)
    if as_json:
        echo_json({**state, "report": report})
    else:
        echo(summary_text(state))
    if not report:
        raise SearchError(f"no net of {state['trials']} could be evaluated")
    if not as_json:
        echo(f"report  {report}\nexport  {home.command('--export', 'STUDY', 'net.json')}")


def _show(study: str, storage: str, as_json: bool) -> None:
    from netwright.search.engine.home import Home
    from netwright.search.engine.summary import summary, summary_text

    home = Home(study, storage, say)
    with home.opened() as ledger:
        state = summary(home.name, ledger.record, ledger.trials())
    if as_json:
        echo_json(state)
    else:
        echo(summary_text(state))


def _export(study: str, file: str, storage: str, number: int | None, as_json: bool) -> None:
    from netwright.search.engine.home import Home, exported
    from netwright.search.engine.identity import SPLIT
    from netwright.search.engine.summary import numbered
    from netwright.search.study import best_trial

    home = Home(study, storage, say)
    with home.opened() as ledger:
        record, trials = ledger.record, ledger.trials()
    trial = best_trial(trials) if number is None else numbered(trials, number)
    options, setup = exported(trial, file), record.get("setup", {})
    if size := setup.get("size"):
        options["size"] = str(size)
    if seed := record["identity"].get(SPLIT):  # no test image is one that the search learnt from
        options["seed"] = seed
    words = " ".join(f"--{word} {quote(value)}" for word, value in options.items())
    say(f"wrote {file}")
    if as_json:
        echo_json({"trial": trial.number, "code": trial.code, "score": trial.score, "fit": options})
        return
    lines = [f"trial {trial.number}: code {trial.code}, score {trial.score}",
             f"train it   netwright fit {quote(setup.get('data', 'DATA'))} {words}"]  # fmt: skip
    if setup:
        again = home.command("--again", "STUDY", "--trial", str(trial.number))
        lines.append(f"repeat it  {again}\n"
                     "The first splits the images as the search did, so its test images are new to "
                     "the net; the second is the trial once more, by its own seed.")  # fmt: skip
    echo("\n".join(lines))


def _train_again(study: str, storage: str, number: int | None, as_json: bool) -> None:
    """Trains the net of a trial as it was trained, and compares."""
    need_memory()
    from netwright.search.engine.home import Home
    from netwright.search.engine.measure import scored
    from netwright.search.engine.summary import numbered
    from netwright.search.loop import evaluate
    from netwright.search.study import best_trial

    home = Home(study, storage, say)
    with home.opened() as ledger:
        plan, trials = home.plan(ledger), ledger.trials()
    before = best_trial(trials) if number is None else numbered(trials, number)
    fresh = replace(before, state="running", score=None, reason="")
    after = evaluate(plan.space, fresh, plan.evaluator)
    if as_json:
        echo_json({"trial": before.number, "before": before.score, "after": after.score})
        return
    then, now = (trial.reason if trial.score is None else scored(trial)
                 for trial in (before, after))  # fmt: skip
    echo(f"trial {before.number}: {then} on validation then, {now} now")


def _describe(text: str, budget: str, seed: int, as_json: bool) -> None:
    """The size of a space and a sample of it that keeps to the budget."""
    from random import Random

    from netwright.space.named import space_of

    space = space_of(text).within(budget)
    code = space.sample(Random(seed))  # noqa: S311 no secret
    plan = space.net(code).plan()
    digits = {digit.name: len(digit.options) for digit in space.digits}
    if as_json:
        echo_json({"space": space.name, "codes": space.size, "choices": digits, "sample": code,
                   "params": plan.params, "macs": plan.macs})  # fmt: skip
        return
    from netwright.report.numbers import human
    from netwright.report.table import plan_table

    choices = ", ".join(f"{name} {count}" for name, count in digits.items())
    echo(f"{space.name}: {space.size:,} codes; options of each choice: {choices}\n"
         f"sample {code}: {human(plan.params)} parameters, {human(plan.macs)} MACs\n\n"
         f"{plan_table(plan, 2)}")  # fmt: skip
