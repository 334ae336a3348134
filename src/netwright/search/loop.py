"""The search loop: ask, evaluate, keep."""

from __future__ import annotations

import inspect
import json
import math
import random as rng
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, SupportsFloat

from netwright.core.kinds import shown
from netwright.core.machine import out_of_memory
from netwright.core.net import Net
from netwright.errors import NetwrightError, SearchError
from netwright.report.numbers import counted
from netwright.search.engine.limit import TimeOver, limited
from netwright.search.strategy import Exhausted, Proposal, Strategy, find, name_of
from netwright.search.study import Study
from netwright.search.timing import LATENCY, predicted
from netwright.search.trial import Trial
from netwright.space.budget import Budget
from netwright.space.named import space_of
from netwright.space.registry import find as find_space
from netwright.space.search_space import Space

__all__ = ["Evaluation", "Evaluator", "ask", "evaluate", "search", "started"]

Evaluator = Callable[..., "float | Evaluation"]
"""A net -> its score, the higher the better; may take `seed`, `fidelity`, `trial` and `limit` by
keyword, `report(step, score)` too, which trials that are kept make known; and have a method `space`
that makes the space of a name for its data."""


@dataclass(frozen=True)
class Evaluation:
    """What an evaluator may return beside the score: anything JSON can hold."""

    score: float
    record: dict[str, Any] = field(default_factory=dict[str, Any])


def search(
    space: str | Space | Net,
    evaluator: Evaluator | str | Path,
    budget: Budget | str | None = None,
    *,
    trials: int | None = None,
    strategy: str | Strategy = "default",
    seed: int = 0,
    minutes: float | None = None,
    progress: Callable[[Trial], None] | None = None,
    storage: str | Path | None = None,
    study: str = "",
    workers: int = 1,
    limit: float = math.inf,
) -> Study:
    """Searches a space for the net with the highest score; no function is evaluated twice.

    space: a `Space`, a Net with choices in it (`Choice`), or a text: a name, with options as in
        `nasbench201:width=8`, a `.json` file of such a net, or `module:name` of your own code
    evaluator: a function of a net that returns its score; one that raises or returns no finite
        number makes a failed trial. Or labelled images, as of `nw.fit`: nets are trained then,
        and their accuracy on validation is the score (`Accuracy` says how)
    budget: bounds of cost, such as `"params<=1M, macs<=50M"`; nets above it are never built
    trials: how many nets to evaluate; 100 unless `minutes` are given
    strategy: one of `nw.strategies()`, with settings as in `evolution:population=20`, or a
        `Strategy`; darts, enas and one-shot train a supernet on the images first
    seed: the search's own; the same seed asks the same of the same scores
    minutes: the search ends with the trial that runs at that time; one that is kept in a
        `storage`, or has several `workers`, breaks it off
    progress: called with every trial when it ends
    storage: where trials are kept, so that a search goes on after a break and others join: a
        file, or `postgresql://USER:PASSWORD@HOST/DATABASE`
    study: the search's name in the storage; the space's unless given
    workers: processes that evaluate at once
    limit: seconds after which a trial is broken off and fails

    >>> import netwright as nw
    >>> space = nw.space("nasbench201")
    >>> study = nw.search(space, lambda net: -net.plan().macs, trials=5, strategy="random")
    >>> len(study.trials), study.best.score == max(trial.score for trial in study.trials)
    (5, True)
    """
    if isinstance(evaluator, str | Path):
        from netwright.search.engine.accuracy import Accuracy

        evaluator = Accuracy(str(evaluator), seed=seed)
    where = space_of(space, getattr(evaluator, "space", find_space))
    if budget is not None:
        where = where.within(budget)
    how = find(strategy)
    name = strategy if isinstance(strategy, str) else name_of(strategy)
    _check(how, evaluator, trials, minutes, workers, limit)
    how.check(where, evaluator)
    most = trials if trials is not None else (100 if minutes is None else math.inf)
    ends = time.monotonic() + 60 * minutes if minutes is not None else math.inf
    if storage is not None or workers > 1:
        from netwright.search.engine.shared import search_shared
        from netwright.search.engine.worker import Plan

        plan = Plan(where, how, evaluator, seed, most, limit)
        return search_shared(plan, name=name, storage=storage, study=study, workers=workers,
                             seconds=ends - time.monotonic(), progress=progress)  # fmt: skip
    learnt = how.prepare(where, evaluator, seed=seed, seconds=ends - time.monotonic())
    how, done, stopped = how.prepared(learnt), list[Trial](), counted(most, "trial")
    while len(done) < most:
        if time.monotonic() >= ends:
            stopped = f"{minutes:g} minutes are over"
            break
        try:
            proposal = ask(where, how, done, seed, len(done))
        except Exhausted as error:
            stopped = str(error)
            break
        trial = started(where, how, proposal, len(done), seed)
        done.append(evaluate(where, trial, evaluator, seconds=limit, limit=limit))
        if progress:
            progress(done[-1])
    return Study(where, name, seed, done, stopped)


def ask(
    space: Space, strategy: Strategy, trials: Sequence[Trial], seed: int, number: int
) -> Proposal:
    """What trial `number` of a search is to evaluate; it follows from the arguments alone."""
    return strategy.ask(space, trials, rng.Random(f"{seed}-{number}"))  # noqa: S311 no secret


def started(space: Space, strategy: Strategy, proposal: Proposal, number: int, seed: int) -> Trial:
    """The running trial of a proposal, with the costs that the strategy weighs."""
    code = proposal.code
    totals = space.totals(code)
    costs: dict[str, float] = {"params": totals.params, "macs": totals.macs}
    if LATENCY in strategy.weighs():
        costs[LATENCY] = predicted(space.net(code))
    return Trial(
        number,
        code,
        space.canonical(code),
        space.net(code).hash,
        costs=costs,
        seed=rng.Random(f"{seed}-{number}-evaluation").getrandbits(31),  # noqa: S311
        fidelity=proposal.fidelity,
        record={"note": proposal.note} if proposal.note else {},
    )


def evaluate(
    space: Space,
    trial: Trial,
    evaluator: Evaluator,
    *,
    fails: type[Exception] = Exception,
    seconds: float = math.inf,
    over: bool = False,
    **offers: Any,
) -> Trial:
    """The trial when it has ended: complete, or failed with its reason in one line.

    space, trial: what is evaluated
    evaluator: what is called with its net
    seconds: after them it is broken off: a failed trial, or `TimeOver` where the search is `over`
    fails: what makes a failed trial where the evaluator raises it; anything else goes on
    offers: what else the evaluator may take by keyword
    """
    begun = time.monotonic()
    try:
        with limited(seconds):
            result = evaluator(space.net(trial.code), **_wanted(evaluator, trial, offers))
    except TimeOver:
        if over:
            raise
        return _failed(trial, f"it took longer than its {seconds:g} seconds", begun)
    except fails as error:
        return _failed(trial, _line(error), begun)
    record = dict(trial.record)
    score: object = result
    if isinstance(result, Evaluation):
        score, record = result.score, {**result.record, **record}
        try:
            json.dumps(result.record)
        except (TypeError, ValueError) as error:
            return _failed(trial, f"the evaluator's record is none for JSON: {error}", begun)
    number = _number(score)
    if number is None:
        return _failed(trial, f"the evaluator returned {shown(score, 80)}, wanted a number", begun)
    if not math.isfinite(number):
        return _failed(trial, f"the evaluator returned {number}, wanted a finite number", begun)
    return replace(trial, state="complete", score=number, seconds=time.monotonic() - begun,
                   record=record)  # fmt: skip


def _number(score: object) -> float | None:
    """A score as a number, numpy's and torch's too; None for what is none, as text and truth."""
    try:
        value = getattr(score, "item", lambda: score)()
        if isinstance(value, bool) or not isinstance(value, SupportsFloat):
            return None
        return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # of several items, too large
        return None


def _unheard(step: int, score: float) -> None:
    """What `report` does where nobody keeps the trials."""


def _failed(trial: Trial, reason: str, begun: float) -> Trial:
    return replace(trial, state="failed", reason=reason, seconds=time.monotonic() - begun)


def _line(error: Exception) -> str:
    if out_of_memory(error):
        return "no memory left"
    text = " ".join(str(error).split()) or "no message"
    kind = "" if isinstance(error, NetwrightError) else f"{type(error).__name__}: "
    return f"{kind}{text}"[:300]


def _wanted(evaluator: Evaluator, trial: Trial, offers: dict[str, Any]) -> dict[str, Any]:
    """What of the trial, and of what is offered, the evaluator takes by keyword."""
    given = {"seed": trial.seed, "fidelity": trial.fidelity, "trial": trial, "report": _unheard,
             "limit": math.inf, **offers}  # fmt: skip
    takes = _takes(evaluator)
    return {name: value for name, value in given.items() if name in takes}


def _takes(evaluator: Callable[..., object]) -> set[str]:
    try:
        parameters = inspect.signature(evaluator).parameters.values()
    except (TypeError, ValueError):  # built-in functions may have no signature
        return set()
    return {parameter.name for parameter in list(parameters)[1:]}


def _check(
    how: Strategy,
    evaluator: object,
    trials: object,
    minutes: object,
    workers: object,
    limit: object,
) -> None:
    if not callable(evaluator):
        raise SearchError(f"the evaluator is {evaluator!r:.80}, wanted a function of a net")
    for name, count in (("trials", 1 if trials is None else trials), ("workers", workers)):
        if not isinstance(count, int) or count < 1:
            raise SearchError(f"{name} is {count!r}, wanted an integer of at least 1")
    for name, span in (("minutes", 1 if minutes is None else minutes), ("limit", limit)):
        if not (isinstance(span, int | float) and span > 0):
            raise SearchError(f"{name} is {span!r}, wanted a number above 0")
    if how.fidelities and "fidelity" not in _takes(evaluator):
        raise SearchError(
            f"{name_of(how)} trains many nets a little; its evaluator takes `fidelity`, "
            "the share of the training, as in `def evaluate(net, fidelity)`"
        )
