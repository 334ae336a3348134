"""Joining a study that was begun elsewhere, by one process, by several, or by all of `torchrun`
that train one net together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import distributed

from netwright.core.net import Net
from netwright.errors import NetwrightError, SearchError
from netwright.search.engine.home import Home
from netwright.search.engine.processes import work_together
from netwright.search.engine.worker import Plan, work
from netwright.search.loop import Evaluation, evaluate
from netwright.search.trial import Trial
from netwright.train.processes import processes

__all__ = ["team_work"]


def team_work(
    home: Home,
    *,
    workers: int = 1,
    data: str = "",
    seconds: float = math.inf,
    progress: Callable[[Trial], None] | None = None,
) -> str:
    """Works on a study until nothing is left to claim; why it ended.

    Arguments:
        home: the study.
        workers: processes of this machine, each with nets of its own.
        data: where the images are on this machine, if elsewhere.
        seconds: time for it.
        progress: called with every trial that ends here.
    """
    with processes() as place, home.opened() as ledger:
        plan = home.plan(ledger, home.folder, data).knowing(ledger.kept("learnt"))
        if place.world == 1:
            if workers > 1:
                return work_together(plan, ledger, workers, seconds=seconds, stay=False,
                                     progress=progress)  # fmt: skip
            return work(plan, ledger, seconds=seconds, stay=False, progress=progress)
        if workers > 1:
            raise SearchError(f"--workers {workers} under torchrun, whose processes train one net; "
                              "wanted one of the two")  # fmt: skip
        if place.rank:
            return _follow(plan)
        leading = replace(plan, evaluator=_Leading(plan.evaluator))
        why = work(leading, ledger, seconds=seconds, stay=False, progress=progress,
                   fails=NetwrightError)  # fmt: skip
        _shared(None)
        return why


class _Leading:
    """Tells the other processes which trial is evaluated, and evaluates it with them."""

    def __init__(self, evaluator: Callable[..., Any]) -> None:
        self.evaluator = evaluator

    def __call__(
        self,
        net: Net,
        *,
        trial: Trial,
        seed: int,
        fidelity: float,
        report: Callable[[int, float], None],
        limit: float,
    ) -> float | Evaluation:
        _shared(trial)
        return self.evaluator(net, trial=trial, seed=seed, fidelity=fidelity, report=report,
                              limit=limit)  # fmt: skip


def _follow(plan: Plan) -> str:
    """Evaluates what the first process does. What fails in one of them only ends it, whereupon
    `torchrun` ends them all and begins again.
    """
    while (trial := _shared(None)) is not None:
        evaluate(plan.space, trial, plan.evaluator, fails=NetwrightError, limit=plan.limit)
    return "the first process has ended"


def _shared(trial: Trial | None) -> Trial | None:
    """The trial that the first process has."""
    objects = [trial]
    distributed.broadcast_object_list(objects, 0)
    return objects[0]
