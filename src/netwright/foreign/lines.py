"""Which line of the user's code is meant."""

from __future__ import annotations

import linecache
import sys
from os import sep
from pathlib import Path
from traceback import extract_tb
from typing import Any

import torch

import netwright
from netwright.errors import TraceError

__all__ = ["at_work", "message", "needs_numbers"]

_LIBRARIES = tuple(f"{Path(file).parent}{sep}" for file in (netwright.__file__, torch.__file__))


def at_work() -> str:
    """The line of the user's code that is being run."""
    frame: Any = sys._getframe(1)
    while frame and frame.f_code.co_filename.startswith(_LIBRARIES):
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


def message(error: Exception) -> str:
    """An error in a followed forward pass, with its line there."""
    frames = [f for f in extract_tb(error.__traceback__) if not f.filename.startswith(_LIBRARIES)]
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    return (
        f"{text} ({frames[-1].filename}:{frames[-1].lineno}: {frames[-1].line})" if frames else text
    )
