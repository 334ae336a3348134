"""The folder of a run while it is written: whose it is, what is in it, what is left over."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from shutil import rmtree
from typing import Any

from netwright.core.files import leftovers
from netwright.core.lock import LOCK, claimed
from netwright.data.source import called
from netwright.errors import RunError
from netwright.train.batches import Place
from netwright.train.watch import Watch

__all__ = ["default_out", "owned", "resumable", "sweep", "unbegun"]

UNWRITABLE = frozenset({errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST,
                        errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP})  # fmt: skip
BEFORE = frozenset({LOCK, "candidates.json"})
"""What is in a run folder before its training begins."""


def default_out(data: Any) -> Path:
    """Where the run on these images goes when nobody says."""
    return Path("runs") / called(data)


def resumable(out: str | Path) -> bool:
    """Whether there is a run to go on with."""
    return os.path.isfile(Path(out) / "run.json")  # noqa: PTH113  Path's raises for long names


def unbegun(folder: Path) -> bool:
    """Whether a folder is empty, but for what a run killed before its training leaves."""
    left = {*leftovers(folder)}
    return all(path.name in BEFORE or path in left for path in folder.iterdir())


def sweep(folder: Path) -> None:
    """Removes from a run folder what a process that was killed left of files it was writing, and
    the checkpoints of a run that is finished.
    """
    checkpoints = folder / "checkpoints"
    for path in (*leftovers(folder), *leftovers(checkpoints)):
        path.unlink()
    if (folder / "metrics.json").exists() and checkpoints.exists():
        rmtree(checkpoints)


@contextmanager
def owned(folder: Path, place: Place, watch: Watch) -> Generator[None]:
    """The folder, claimed by the first process for all of them; says in one line that a file could
    not be written, and closes the watch whatever happens.
    """
    try:
        with nullcontext() if place.rank else claimed(folder):
            yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = "free some space, then go on with --resume" if resumable(folder) else "free some"
            raise RunError(f"{folder}: no space left on the disk; {hint}") from None
        if error.errno in UNWRITABLE:
            hint = "make it writable, then go on with --resume" if resumable(folder) else (
                "choose another --out")  # fmt: skip
            raise RunError(f"{folder}: {error.strerror} ({error.filename}); {hint}") from None
        raise
    finally:
        watch.close()
