"""A search whose trials are kept, and that several workers share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from netwright.search.engine.identity import identity
from netwright.search.engine.ledger import Ledger
from netwright.search.engine.processes import work_together
from netwright.search.engine.storage import Place
from netwright.search.engine.worker import Plan, work
from netwright.search.study import Study, strategies
from netwright.search.trial import Trial

__all__ = ["search_shared"]

SCHEMA = 1


def search_shared(
    plan: Plan,
    *,
    name: str,
    storage: str | Path | None = None,
    study: str = "",
    workers: int = 1,
    seconds: float = math.inf,
    settings: dict[str, Any] | None = None,
    tell: Callable[[str], None] = lambda line: None,
    progress: Callable[[Trial], None] | None = None,
) -> Study:
    """Works on a study until it is done, going on where it was left; the study.

    Arguments:
        plan: what to do.
        name: of the strategy.
        storage: a journal file, or `postgresql://...`; a file that goes at the end where there is
            none.
        study: its name in the storage; that of the space where there is none.
        workers: processes on this machine.
        seconds: time for it.
        settings: what else others need to know to join.
        tell: hears a line for people.
        progress: called with every trial that ends.
    """
    if storage is None:
        with TemporaryDirectory(prefix="netwright-") as folder:
            return search_shared(plan, name=name, storage=Path(folder, "study.journal"),
                                 study=study, workers=workers, seconds=seconds, tell=tell,
                                 progress=progress)  # fmt: skip
    plan.space.example()  # raises, before a file is begun, where no net keeps to the budget
    most = None if math.isinf(plan.trials) else plan.trials
    record = {"schema": SCHEMA, "identity": identity(plan.space, plan.evaluator),
              "strategy": name, "seed": plan.seed, "trials": most, **(settings or {})}  # fmt: skip
    place = Place(str(storage), study or plan.space.name, tell)
    ends = monotonic() + seconds
    with Ledger.opened(place, record) as ledger:
        learnt = plan.strategy.prepare(plan.space, plan.evaluator, seed=plan.seed, seconds=seconds,
                                       before=ledger.kept("learnt"), tell=tell)  # fmt: skip
        ledger.keep("learnt", learnt)
        plan, seconds = replace(plan.knowing(learnt), name=name), ends - monotonic()
        if workers == 1:
            why = work(plan, ledger, seconds=seconds, progress=progress)
        else:
            why = work_together(plan, ledger, workers, seconds=seconds, progress=progress)
        trials = ledger.trials()
        return Study(plan.space, strategies(trials, name), plan.seed, trials, why)
