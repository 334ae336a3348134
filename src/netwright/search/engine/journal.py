"""A study in one file, to which several processes append."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path

from optuna.storages.journal import JournalFileBackend, JournalStorage

from netwright.search.engine.locks import flocked

__all__ = ["damaged", "is_journal", "journal"]

BLOCK = 2**16
BEGINS = b'{"op_code":'
"""What every line of a journal begins with."""


def journal(path: Path, folder: Path) -> JournalStorage:
    """The storage in a file, whose lock lies in `folder`.

    Optuna's own locks are files that a killed process leaves: the others would wait 30 seconds.
    Ours ends with its process, and whoever has it first cuts off the line that another was
    killed in, which nobody could read otherwise.
    """
    lock = _Lock(path, folder / "journal")
    return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))  # pyright: ignore[reportArgumentType]


def is_journal(path: Path) -> bool:
    """Whether a file may be gone on with as a journal: it is not there, or its first line, as far
    as it goes, is one of a journal.
    """
    if not path.exists():
        return True
    with path.open("rb") as file:
        line = file.readline(BLOCK)
    return line.startswith(BEGINS) or BEGINS.startswith(line)


def damaged(path: Path) -> str:
    """Which line is the first that is none of a journal, and what to do; nothing where all are."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                json.loads(line)["op_code"]
            except (ValueError, KeyError, TypeError):
                return (f"line {number} is damaged, and what follows it cannot be trusted; "
                        f"`head -n {number - 1}` gives the whole lines before; ")  # fmt: skip
    return ""


class _Lock:
    """What `JournalFileBackend` appends under."""

    def __init__(self, path: Path, lock: Path) -> None:
        self.path, self.lock = path, lock
        self._stack = ExitStack()

    def acquire(self) -> bool:
        self._stack.enter_context(flocked(self.lock))
        try:
            mend(self.path)
        except OSError:
            self.release()
            raise
        return True

    def release(self) -> None:
        self._stack.close()


def mend(path: Path) -> None:
    """Cuts off the end of a file that is no whole line."""
    with path.open("rb+") as file:
        end = keep = file.seek(0, os.SEEK_END)
        size = 1  # the last letter first: mostly it is the newline
        while keep:
            start = max(0, keep - size)
            file.seek(start)
            newline = file.read(keep - start).rfind(b"\n")
            if newline >= 0:
                keep = start + newline + 1
                break
            keep, size = start, BLOCK
        if keep < end:
            file.truncate(keep)
