"""Several workers of a study on one machine, each in a process of its own."""

from __future__ import annotations

import math
import os
import pickle
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from threading import current_thread, main_thread
from time import monotonic, sleep
from typing import Any

from netwright.errors import NetwrightError, SearchError
from netwright.search.engine.ledger import Ledger
from netwright.search.engine.storage import Place
from netwright.search.engine.worker import Plan, work
from netwright.search.trial import Trial

__all__ = ["work_together"]

LOOK = 0.5
"""Seconds between two looks at the processes and the trials."""
DEATHS = 3
"""Processes, for each worker, that may be killed without a trial that ends between them."""
PATIENCE = 20.0
"""Seconds in which a process that is asked to end gives back its trial."""


@dataclass(frozen=True)
class _Order:
    """What a process is started with."""

    plan: Plan
    where: str
    study: str
    seconds: float
    stay: bool
    index: int


def work_together(
    plan: Plan,
    ledger: Ledger,
    workers: int,
    *,
    seconds: float = math.inf,
    stay: bool = True,
    progress: Callable[[Trial], None] | None = None,
) -> str:
    """As `work`, by several processes; one that is killed is started anew. Why it ended."""
    try:
        pickle.dumps(plan)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise SearchError(f"several workers cannot be given the search: {error}; wanted an "
                          "evaluator and a space that other processes can import, such as a "
                          "function of a module, no lambda") from None  # fmt: skip
    ends, context = monotonic() + seconds, get_context("spawn")
    crew = dict[int, tuple[Any, Any]]()
    news = _News(ledger, progress)
    why, deaths = "", 0

    def start(index: int) -> None:
        ours, theirs = context.Pipe(duplex=False)
        order = _Order(plan, ledger.place.where, ledger.place.study, ends - monotonic(),
                       stay, index)  # fmt: skip
        process = context.Process(target=_child, args=(pickle.dumps(order), workers, theirs))
        with _undisturbed():
            process.start()
            theirs.close()
            crew[index] = process, ours

    try:
        for index in range(workers):
            start(index)
        while crew:
            sleep(LOOK)
            gone = [index for index, (process, _) in crew.items() if not process.is_alive()]
            deaths = 0 if news.tell() else deaths
            for index in gone:
                process, pipe = crew.pop(index)
                why, killed = _last_word(process, pipe)
                deaths += killed
                if deaths > DEATHS * workers:
                    raise SearchError(f"{deaths} workers were killed one after another (exit code "
                                      f"{process.exitcode}); the trials are kept, go on when it is "
                                      "known why: perhaps memory does not suffice for so many "
                                      "workers")  # fmt: skip
                if killed:
                    ledger.place.tell(f"a worker was killed (exit code {process.exitcode}), "
                                      "another takes its place")  # fmt: skip
                    start(index)
        news.tell()
    finally:
        _end(crew)
    return why


class _News:
    """Tells of every trial that has ended, once."""

    def __init__(self, ledger: Ledger, progress: Callable[[Trial], None] | None) -> None:
        self.ledger, self.progress = ledger, progress
        self._seen = {trial.number for trial in ledger.trials() if trial.state != "running"}

    def tell(self) -> int:
        """How many have ended since the last time."""
        ended = [trial for trial in self.ledger.trials()
                 if trial.state != "running" and trial.number not in self._seen]  # fmt: skip
        self._seen.update(trial.number for trial in ended)
        if self.progress:
            for trial in ended:
                self.progress(trial)
        return len(ended)


def _last_word(process: Any, pipe: Any) -> tuple[str, bool]:
    """Why a process ended, and whether it was killed; `SearchError` where it failed."""
    process.join()
    try:
        failed, text = pipe.recv() if pipe.poll() else (False, "")
    except (EOFError, OSError):  # killed while it wrote
        failed, text = False, ""
    finally:
        pipe.close()
    if failed:
        raise SearchError(text)
    if not text and process.exitcode > 0:
        raise SearchError(f"a worker failed with exit code {process.exitcode}; its messages are "
                          "above")  # fmt: skip
    return text, not text


def _end(crew: dict[int, tuple[Any, Any]]) -> None:
    """Asks the processes to end, and sees to it that they do."""
    for process, _ in crew.values():
        process.terminate()
    until = monotonic() + PATIENCE
    for process, pipe in crew.values():
        process.join(max(0.0, until - monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
        pipe.close()


def _child(order: bytes, workers: int, pipe: Any) -> None:
    """What a process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started it says when to end
    signal.signal(signal.SIGTERM, _interrupt)
    # Before PyTorch is loaded, which is when the order is read.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
    try:
        given: _Order = pickle.loads(order)  # noqa: S301 our own
        _share_devices(given)
        place = Place(given.where, given.study, lambda line: None, wait=True)
        with Ledger.opened(place) as ledger:
            why = work(given.plan, ledger, seconds=given.seconds, stay=given.stay)
    except KeyboardInterrupt:
        pipe.send((False, "stopped"))
    except NetwrightError as error:
        pipe.send((True, str(error)))
    else:
        pipe.send((False, why))


@contextmanager
def _undisturbed() -> Generator[None]:
    """Ctrl-C and SIGTERM count from the end of the block on, so that no process is started by
    half. Those that are started within it do not hear Ctrl-C: one that still imports would die
    with a traceback.
    """
    if current_thread() is not main_thread():  # which signals do not reach
        yield
        return
    heard = list[int]()
    resource_tracker.ensure_running()  # which lets SIGINT through when it starts
    before = {number: signal.signal(number, lambda number, _: heard.append(number))
              for number in (signal.SIGINT, signal.SIGTERM)}  # fmt: skip
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        for number, handler in before.items():
            signal.signal(number, handler)
    for number in heard:
        signal.raise_signal(number)


def _interrupt(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: the trial is given back now
    raise KeyboardInterrupt


def _share_devices(order: _Order) -> None:
    """The processes share the accelerators, one after the other."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.device_count() > 1:
        torch.cuda.set_device(order.index % torch.cuda.device_count())
