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

__all__ = ["at_work", "told"]

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


def told(error: Exception) -> str:
    """An error in a followed forward pass, with its line there."""
    frames = [f for f in extract_tb(error.__traceback__) if not f.filename.startswith(_LIBRARIES)]
    said = f"{type(error).__name__}: {error}".rstrip(": ")
    return (
        f"{said} ({frames[-1].filename}:{frames[-1].lineno}: {frames[-1].line})" if frames else said
    )
