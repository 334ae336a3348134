"""A bound on how long something may take."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from netwright.errors import SearchError

__all__ = ["TimeOver", "limited"]


class TimeOver(BaseException):
    """The time of a whole search is over; no `Exception`, so that no evaluator catches it."""


@contextmanager
def limited(seconds: float, *, over: bool = False) -> Generator[None]:
    """Breaks the block off after so many seconds: with a `SearchError` that says so, or with
    `TimeOver` where the whole search is `over` then.

    The system's alarm does it, so it works on Linux and macOS, in the main thread; elsewhere the
    block runs to its end.
    """
    main = threading.current_thread() is threading.main_thread()
    if math.isinf(seconds) or not main or not hasattr(signal, "setitimer"):
        yield
        return

    def alarm(number: int, frame: FrameType | None) -> None:
        if over:
            raise TimeOver
        raise SearchError(f"it took longer than its {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, max(1e-3, seconds))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
