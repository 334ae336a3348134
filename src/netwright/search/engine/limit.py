"""A bound on how long something may take."""

from __future__ import annotations

import math
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["TimeOver", "limited"]


class TimeOver(BaseException):
    """The time is over; no `Exception`, so that no evaluator catches it."""


@contextmanager
def limited(seconds: float) -> Generator[None]:
    """Breaks the block off with `TimeOver` after so many seconds.

    The system's alarm does it, so it works on Linux and macOS, in the main thread; elsewhere the
    block runs to its end. PyTorch records gradients and casts afterwards as it did before.
    """
    main = threading.current_thread() is threading.main_thread()
    if math.isinf(seconds) or not main or not hasattr(signal, "setitimer"):
        yield
        return

    def alarm(number: int, frame: FrameType | None) -> None:
        raise TimeOver

    restore = _modes()
    before = signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, max(1e-3, seconds))
    try:
        yield
    except TimeOver:
        restore()
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _modes() -> Callable[[], None]:
    """What brings PyTorch's modes back. A block such as `no_grad` does so at its end, unless the
    alarm rings just then: everything after it would learn nothing.
    """
    torch: Any = sys.modules.get("torch")
    gradients = torch is None or torch.is_grad_enabled()
    devices = ("cpu", "cuda")
    casts = [torch is not None and torch.is_autocast_enabled(device) for device in devices]

    def restore() -> None:
        torch: Any = sys.modules.get("torch")
        if torch is not None:
            torch.set_grad_enabled(gradients)
            for device, cast in zip(devices, casts, strict=True):
                torch.set_autocast_enabled(device, cast)

    return restore
