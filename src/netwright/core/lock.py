"""A folder for one process at a time."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import gethostname

from netwright.errors import RunError

__all__ = ["LOCK", "claimed"]

LOCK = ".lock"
"""Name of the file that says who works in a folder."""
TRIES = 100
UNLOCKABLE = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What file systems answer that have no locks."""


@contextmanager
def claimed(folder: Path) -> Generator[None]:
    """Keeps other processes out of `folder`, made if need be, while the block runs.

    The system lets go of a lock when its process ends, however it ends; on file systems
    without locks the file's own word counts, unless its process is dead. A folder that was
    made and stays empty is removed again. Raises `RunError` when another process is there.
    """
    created = _missing(folder)
    path = folder / LOCK
    try:
        lock = _taken(path)
        try:
            yield
        finally:
            _release(lock, path)
    finally:
        with suppress(OSError):  # not empty: the run is in it
            for one in created:
                one.rmdir()


def _missing(folder: Path) -> list[Path]:
    """The folder and those it lies in, as far as they are not there yet."""
    try:
        folder.stat()
    except FileNotFoundError:
        return [one for one in (folder, *folder.parents) if not one.exists()]
    return []


def _taken(path: Path) -> int:
    """The descriptor of the lock file, which is ours until it is closed."""
    for _ in range(TRIES):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock, new = _opened(path)
        except FileNotFoundError:  # removed in between, the file or its folder
            continue
        if not _ours(lock, path, new=new):
            os.close(lock)
            raise RunError(
                f"{path.parent} is in use by {_owner(path) or 'another process'}; wait for it to "
                f"end, or choose another --out (if that process is gone, remove {path})"
            )
        if _still(lock, path):
            os.truncate(lock, 0)
            os.write(lock, f"{os.getpid()} {gethostname()}\n".encode())
            return lock
        os.close(lock)  # the process before us let go of it and removed it in between
    raise RunError(f"{path} comes and goes; too many processes want {path.parent}")


def _opened(path: Path) -> tuple[int, bool]:
    """A descriptor of the lock file, and whether it was made for it."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644), True
    except FileExistsError:
        return os.open(path, os.O_RDWR), False


def _release(lock: int, path: Path) -> None:
    if sys.platform == "win32":  # where an open file cannot be removed
        os.close(lock)
        path.unlink(missing_ok=True)
    else:
        path.unlink(missing_ok=True)
        os.close(lock)


def _ours(lock: int, path: Path, *, new: bool) -> bool:
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in UNLOCKABLE:
                raise
        else:
            return True
    return new or _dead(path)


def _still(lock: int, path: Path) -> bool:
    """Whether the file that was locked is the one that others will find."""
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except FileNotFoundError:
        return False


def _owner(path: Path) -> str:
    process, host = _words(path)
    return f"process {process} on {host}" if process else ""


def _dead(path: Path) -> bool:
    """Whether the process that the file names was one of this machine, and is no more."""
    process, host = _words(path)
    if not process or host != gethostname() or sys.platform == "win32":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # somebody else's, so alive
    return False


def _words(path: Path) -> tuple[int, str]:
    """The process and the machine that the file names, 0 where it names none."""
    try:
        process, host = path.read_text(encoding="utf-8").split()
        return int(process), host
    except (OSError, ValueError):
        return 0, ""
