"""How much may be read: of a file of text, and of anything into memory."""

from __future__ import annotations

import os
import stat
import sys
from errno import EFBIG, EINVAL
from functools import cache
from pathlib import Path

__all__ = ["memory", "read_text"]

TEXT = 2**26
"""Bytes of text that are read at most: the JSON of the largest net has some 2 million."""
CGROUP = Path("/sys/fs/cgroup/memory.max")
"""Where a container says how much memory it has."""
UNKNOWN = 2**36
"""What a machine is taken to have that does not say."""


@cache
def memory() -> int:
    """Bytes of memory that this process could have at most: the machine's, the container's."""
    bounds = [_machine()]
    if CGROUP.exists():
        limit = CGROUP.read_text(encoding="ascii").strip()
        bounds += [int(limit)] if limit.isdigit() else []
    return min(bounds)


def _machine() -> int:
    if sys.platform != "win32":
        try:
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (ValueError, OSError):  # a system that has no such word
            pass
    return UNKNOWN


def read_text(path: Path | str, *, pipes: bool = False) -> str:
    """A file of text, in UTF-8, if it is one and not too long.

    Pipes and devices are read where `pipes` says so, such as `<(command)` of a shell. Raises
    `OSError` whose `strerror` says why not, and `UnicodeDecodeError`.
    """
    if not pipes and not stat.S_ISREG(Path(path).stat().st_mode):
        raise OSError(EINVAL, "a folder, pipe or device, wanted a file", str(path))
    with Path(path).open("rb") as file:
        data = file.read(TEXT + 1)
    if len(data) > TEXT:
        raise OSError(EFBIG, f"more than {TEXT:,} bytes, too long for what it should be", str(path))
    return data.decode()
