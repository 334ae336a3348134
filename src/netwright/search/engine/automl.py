"""`fit --search`: nets, their sizes and their recipe, searched on the images and trained again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from netwright.data.augment import Mirroring
from netwright.errors import RunError
from netwright.report.numbers import counted
from netwright.search.engine.home import Home, exported
from netwright.search.engine.setup import Setup
from netwright.search.engine.shared import search_shared
from netwright.search.engine.summary import compared, gain
from netwright.search.study import best_trial
from netwright.search.trial import Trial
from netwright.train.fitting import fit
from netwright.train.from_nothing import UNBOUNDED
from netwright.train.recipe import read
from netwright.train.run import Run
from netwright.train.settings import Settings
from netwright.train.speeds import step_seconds
from netwright.train.watch import Watch

if TYPE_CHECKING:
    from netwright.search.engine.accuracy import Accuracy

__all__ = ["Found", "fit_by_search"]

DEFAULT = "resnet"
SHARE = 0.6
"""Of the time goes to the search; the rest to training its net, from nothing, and to its test."""
TRIALS = 20
"""Nets as large as the default that the search has time for, at least."""
MOST_EPOCHS = 20
SLOWEST = 4
"""A trial may take so many times what the default takes."""
OVERHEAD = 5.0
"""Seconds of a trial beside training."""
TAKEN = ("net", "weights", "epochs", "transfer")
"""Settings of a fit that leave nothing to search for."""


@dataclass(frozen=True)
class Found:
    """What a search added: the trials' best, and what it gained over the default and random.

    compared: how many nets of the strategy are compared with as many at random
    """

    trial: Trial
    trials: int
    gain: dict[str, float]
    compared: int
    report: Path


def fit_by_search(
    data: str | Path,
    out: str | Path,
    *,
    watch: Watch | None = None,
    progress: Callable[[Trial], None] | None = None,
    **given: Any,
) -> tuple[Run, Found]:
    """Searches small nets and their recipe on the images, then fits the best; the run it leaves,
    and what the search gained.

    Arguments:
        data, out: as of `fit`; the study is in a folder beside `out`, and gone on with.
        watch: hears how far the fit is.
        progress: called with every trial that ends.
        given: settings as of `fit`, but for those that leave nothing to search for.
    """
    for word in TAKEN:
        if word in given:
            raise RunError(f"{word} is {given[word]!r} in a search, which chooses the net and how "
                           "it is trained from nothing; leave one of the two out")  # fmt: skip
    began = monotonic()
    settings = Settings(str(data), **given)
    watch = watch or Watch()
    home = Home(f"{out}-search", tell=watch.say)
    seconds = 60 * settings.minutes
    setup = _setup(settings, home)
    plan = setup.plan(home.folder)
    watch.say(f"searching {plan.space}, {counted(setup.epochs, 'epoch')} a net, for {SHARE:.0%} "
              "of the time")  # fmt: skip
    study = search_shared(plan, name=setup.strategy, storage=home.storage, study=home.name,
                          seconds=max(1.0, SHARE * seconds - (monotonic() - began)),
                          settings={"setup": setup.to_json()}, tell=watch.say,
                          progress=progress)  # fmt: skip
    watch.say(f"the search ended: {study.stopped}")
    with home.opened() as ledger:
        record, trials = ledger.record, ledger.trials()
    best = best_trial(trials)
    home.write(record, trials)
    options = exported(best, str(home.folder / "net.json"))
    left = max(seconds - (monotonic() - began), 0.2 * seconds) / 60
    taken = {word: value for word, value in given.items() if word not in ("minutes", "recipe")}
    run = fit(data, out=out, watch=watch, minutes=left, net=options["net"],
              recipe=options["recipe"], **taken)  # fmt: skip
    return run, Found(best, len(trials), gain(trials), compared(trials),
                      home.folder / "report.html")  # fmt: skip


def _setup(settings: Settings, home: Home) -> Setup:
    """The search: that of the study where it was begun before, else as the time allows."""
    budget = settings.budget or UNBOUNDED
    if Path(home.storage).is_file():
        with home.opened() as ledger:
            # What it is of may not change: the ledger refuses another.
            return replace(home.setup(ledger), data=settings.data, size=settings.size,
                           budget=budget, seed=settings.seed)  # fmt: skip
    recipe = read(settings.recipe or DEFAULT)
    flips = settings.flip or (settings.flip is None and settings.recipe)
    if not flips:  # digits and letters turn into others in a mirror
        kept = tuple(op for op in recipe.operations if not isinstance(op, Mirroring))
        recipe = recipe.but(operations=kept)
    precision = "fp32" if settings.precision == "auto" else settings.precision
    setup = Setup("small", settings.data, trials=None, budget=budget,
                  recipe=recipe.to_json(), epochs=1, size=settings.size, seed=settings.seed,
                  precision=precision)  # fmt: skip
    plan = setup.plan()
    space: Any = plan.space  # of small nets, which have a default
    dataset = cast("Accuracy", plan.evaluator).dataset
    code, recipe = space.default(), recipe.suited(dataset.size("train"))
    epoch = recipe.steps(dataset.size("train")) * step_seconds(space.net(code), recipe, precision)
    epochs = int(SHARE * 60 * settings.minutes / TRIALS / epoch)
    epochs = max(1, min(MOST_EPOCHS, epochs))
    return replace(setup, first=(code,), epochs=epochs, limit=OVERHEAD + SLOWEST * epochs * epoch)
