"""Memory that is freed stays with the process while a long job runs, for what comes next.

glibc gives blocks above 32 MB back to the system when they are freed, and the system fills every
page of the next one with zeros when it is first written. The maps of a batch are such blocks, and
every step frees and asks for them again: two fifths of a training step of EfficientNet-Lite0.
Other C libraries are left as they are.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock

__all__ = ["reused_memory"]

TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
"""Names of settings in glibc's malloc.h."""
KEEPING = ((MMAP_MAX, 0), (TRIM_THRESHOLD, 2**31 - 1))
USUAL = ((MMAP_MAX, 65536), (MMAP_THRESHOLD, 2**25), (TRIM_THRESHOLD, 2**26))
"""What glibc itself arrives at where blocks of up to 32 MB are freed."""


class _Jobs:
    """How many jobs run: the last one that ends gives the memory back."""

    count, lock = 0, Lock()


@contextmanager
def reused_memory() -> Generator[None]:
    """Within the block, or the function that this decorates, the process keeps the memory that it
    frees; at the end the system gets it back.
    """
    glibc = _glibc()
    if glibc is None:
        yield
        return
    with _Jobs.lock:
        _Jobs.count += 1
        _set(glibc, KEEPING)
    try:
        yield
    finally:
        with _Jobs.lock:
            _Jobs.count -= 1
            if not _Jobs.count:
                _set(glibc, USUAL)
                glibc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """The C library, if it is the one whose settings we know."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None


def _set(glibc: ctypes.CDLL, settings: tuple[tuple[int, int], ...]) -> None:
    for name, value in settings:
        glibc.mallopt(name, value)
