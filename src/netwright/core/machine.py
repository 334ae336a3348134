"""How much memory there is, and whether it ran out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from netwright.errors import NetwrightError

__all__ = ["memory", "need_memory", "out_of_memory"]

CGROUP = Path("/sys/fs/cgroup/memory.max")
"""Where a container says how much memory it has."""
LEAST = 2**30
"""Bytes of addresses that PyTorch takes to be loaded, more or less."""
SAYS = (
    "allocate memory",
    "not enough memory",
    "out of memory",
    "start new thread",
    "failed to map segment",
)
"""What PyTorch, Python and the system say where memory ran out, beside `MemoryError`."""
UNKNOWN = 2**50
"""What is taken for the bound where there is none."""


def memory() -> int:
    """Bytes of memory that this process could have at most: the machine's, the container's, or
    what `ulimit -v` allows.
    """
    bounds = [_allowed()]
    if sys.platform != "win32":
        bounds.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    if CGROUP.exists():
        text = CGROUP.read_text(encoding="ascii").strip()
        bounds += [int(text)] if text.isdigit() else []  # "max" is no bound
    return min(bounds)


def _allowed() -> int:
    """Bytes of addresses that `ulimit -v` allows."""
    if sys.platform != "win32":
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            return limit
    return UNKNOWN


def need_memory() -> None:
    """Raises `NetwrightError` where PyTorch cannot be loaded: it would end the process with
    its own word only.
    """
    if _allowed() < LEAST:
        raise NetwrightError(f"{_allowed():,} bytes of memory are not enough to load PyTorch; "
                             f"wanted {LEAST:,} (see `ulimit -v`)")  # fmt: skip


def out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that there was no memory left."""
    return isinstance(error, MemoryError) or any(word in str(error) for word in SAYS)
