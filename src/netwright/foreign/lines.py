"""Which line of the user's code is meant."""

from __future__ import annotations

import linecache
import sys
from typing import Any

from netwright.core.code import libraries
from netwright.errors import TraceError

__all__ = ["at_work", "needs_numbers"]


def at_work() -> str:
    """The line of the user's code that is being run."""
    frame: Any = sys._getframe(1)
    while frame and frame.f_code.co_filename.startswith(libraries()):
        frame = frame.f_back
    if frame is None:
        return "not in your code"
    file, line = frame.f_code.co_filename, frame.f_lineno
    return f"{file}:{line}: {linecache.getline(file, line).strip()}"


def needs_numbers(name: str) -> TraceError:
    """What is raised where a function asks for numbers that depend on the input."""
    return TraceError(
        f"{name} needs the numbers in a tensor, which only a plan of tensors with values=True "
        f"(netwright summary --run) has: {at_work()}"
    )
