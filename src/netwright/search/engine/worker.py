"""One worker of a shared study: claims a trial, evaluates it, keeps what came of it, and so on."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing import parent_process
from socket import gethostname
from time import monotonic, sleep
from uuid import uuid4

from netwright.report.numbers import counted
from netwright.search.engine.ledger import Claim, Ledger
from netwright.search.engine.limit import TimeOver
from netwright.search.loop import Evaluator, ask, evaluate, started
from netwright.search.strategy import Exhausted, Learnt, Strategy
from netwright.search.trial import STRATEGY, Trial
from netwright.space.search_space import Space

__all__ = ["Plan", "work"]

LOOK = 0.5
"""Seconds between two looks at what the others do, when there is nothing left to claim."""


@dataclass(frozen=True)
class Plan:
    """What the workers of a study do.

    space: where the nets come from
    strategy: which to try next
    evaluator: a net -> its score
    seed: of the search
    trials: how many nets are evaluated in all, those of earlier sessions too; may be infinite
    limit: seconds after which a trial counts as failed; may be infinite
    name: of the strategy, which the trials it proposes keep
    """

    space: Space
    strategy: Strategy
    evaluator: Evaluator
    seed: int = 0
    trials: float = math.inf
    limit: float = math.inf
    name: str = ""

    def knowing(self, learnt: Learnt) -> Plan:
        """The same with a strategy that has learnt this before the first trial."""
        return replace(self, strategy=self.strategy.prepared(learnt))


def work(
    plan: Plan,
    ledger: Ledger,
    *,
    seconds: float = math.inf,
    stay: bool = True,
    progress: Callable[[Trial], None] | None = None,
    fails: type[Exception] = Exception,
) -> str:
    """Evaluates trials until all are done or the time is over; why it ended.

    Arguments:
        plan: what to do.
        ledger: the study.
        seconds: time for it; a trial that it cuts off is given back.
        stay: whether to wait for the trials of others, to make again what is lost with them.
        progress: called with every trial of this worker when it ends.
        fails: what makes a failed trial; anything else that is raised ends the worker.
    """
    worker = f"{gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
    ends = monotonic() + seconds
    with ledger.place.locks.present(worker):
        while monotonic() < ends:
            if (parent := parent_process()) is not None and not parent.is_alive():
                return "the search that began this worker has ended"
            turn = _Turn(plan)
            claim = ledger.claim(worker, turn)
            if claim is not None:
                try:
                    trial = _evaluated(plan, ledger, claim, ends - monotonic(), fails)
                except TimeOver:
                    ledger.give_back(claim)
                    break
                except (KeyboardInterrupt, SystemExit):
                    ledger.give_back(claim)
                    raise
                ledger.end(claim, trial)
                if progress:
                    progress(trial)
            elif not (stay and turn.running):
                return turn.why
            else:
                sleep(min(LOOK, max(0.0, ends - monotonic())))
    return "the time is over"


@dataclass
class _Turn:
    """Asks the strategy for the next trial; None, and `why`, where there is none."""

    plan: Plan
    why: str = ""
    running: bool = False

    def __call__(self, trials: Sequence[Trial]) -> Trial | None:
        self.running = any(trial.state == "running" for trial in trials)
        plan, number = self.plan, trials[-1].number + 1 if trials else 0
        if len(trials) >= plan.trials:
            self.why = counted(len(trials), "trial")
            return None
        try:
            proposal = ask(plan.space, plan.strategy, trials, plan.seed, number)
        except Exhausted as error:
            self.why = str(error)
            return None
        trial = started(plan.space, plan.strategy, proposal, number, plan.seed)
        return replace(trial, record={**trial.record, STRATEGY: plan.name}) if plan.name else trial


def _evaluated(
    plan: Plan, ledger: Ledger, claim: Claim, left: float, fails: type[Exception]
) -> Trial:
    """The trial of a claim when it has ended; `TimeOver` where the search's time is over first."""
    curve = list[float]()

    def report(step: int, score: float) -> None:
        curve.append(score)
        ledger.report(claim, step, score)

    alone = fails is Exception  # an alarm in one of several processes would leave the others
    trial = evaluate(plan.space, claim.trial, plan.evaluator, fails=fails, report=report,
                     seconds=min(left, plan.limit) if alone else math.inf,
                     over=left < plan.limit, limit=plan.limit)  # fmt: skip
    net = plan.space.net(trial.code).to_json()
    kept = {"net": net, "curve": curve} if curve else {"net": net}
    return replace(trial, record={**kept, **trial.record})
