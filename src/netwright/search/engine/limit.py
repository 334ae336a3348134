"""A bound on how long something may take."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

__all__ = ["TimeOver", "limited"]


class TimeOver(BaseException):
    """The time is over; no `Exception`, so that no evaluator catches it."""


@contextmanager
def limited(seconds: float) -> Generator[None]:
    """Breaks the block off with `TimeOver` after so many seconds.

    The system's alarm does it, so it works on Linux and macOS, in the main thread; elsewhere the
    block runs to its end.
    """
    main = threading.current_thread() is threading.main_thread()
    if math.isinf(seconds) or not main or not hasattr(signal, "setitimer"):
        yield
        return

    def alarm(number: int, frame: FrameType | None) -> None:
        raise TimeOver

    before = signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, max(1e-3, seconds))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
