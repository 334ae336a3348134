"""Who works on a study, and whose turn it is to ask: locks that are let go of when a process ends,
however it ends.

On one machine, or a file system that several share, the kernel keeps them (`flock`); of a study
in PostgreSQL the server does (advisory locks of a session).
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["FileLocks", "Locks", "PostgresLocks", "flocked"]

PING, SOON = 3.0, 0.5
"""Seconds after which a worker sees that the server has lost its lock, and between two tries to
take it again."""
GRACE = 15.0
"""Seconds that a worker's lock has to be free in PostgreSQL before the worker counts as gone: a
server that was restarted has forgotten all locks."""


class Locks(Protocol):
    """What the workers of a study agree by."""

    def turn(self) -> AbstractContextManager[None]:
        """One worker at a time goes through the block."""
        ...

    def present(self, worker: str) -> AbstractContextManager[None]:
        """Others can see that the worker lives while the block runs."""
        ...

    def gone(self, worker: str) -> bool:
        """Whether a worker has ended without saying so."""
        ...


@contextmanager
def flocked(path: Path, *, shared: bool = False, wait: bool = True) -> Generator[bool]:
    """Holds a lock on a file, made if need be; False where others have it and we do not `wait`."""
    import fcntl

    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(lock, kind if wait else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(lock)


class FileLocks:
    """Locks on files in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def turn(self) -> Generator[None]:
        with flocked(self.folder / "turn"):
            yield

    @contextmanager
    def present(self, worker: str) -> Generator[None]:
        path = self._path(worker)
        with ExitStack() as lock:
            with self.turn():  # so that nobody takes one that comes for one that is gone
                for other in self.folder.glob("*.worker"):
                    self.gone(other.stem)
                lock.enter_context(flocked(path))
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    def gone(self, worker: str) -> bool:
        path = self._path(worker)
        if path.exists():
            with flocked(path, shared=True, wait=False) as free:
                if not free:
                    return False
            path.unlink(missing_ok=True)  # it was killed, or it would have done so
        return True

    def _path(self, worker: str) -> Path:
        return self.folder / f"{worker}.worker"


class PostgresLocks:
    """Advisory locks of sessions: each is a number that follows from the study and a word."""

    def __init__(self, engine: Engine, study: str, grace: float = GRACE) -> None:
        self.engine, self.study, self.grace = engine, study, grace
        self._free_since: dict[str, float] = {}
        self._seen: dict[str, float] = {}

    @contextmanager
    def turn(self) -> Generator[None]:
        with self._locked("turn"):
            yield

    @contextmanager
    def present(self, worker: str) -> Generator[None]:
        ready, over = Event(), Event()
        thread = Thread(target=self._stay, args=(worker, ready, over), daemon=True)
        thread.start()
        ready.wait()
        try:
            yield
        finally:
            over.set()
            thread.join(2 * PING)

    def gone(self, worker: str) -> bool:
        from sqlalchemy.exc import SQLAlchemyError

        if monotonic() - self._seen.get(worker, float("-inf")) < self.grace / 15:
            return False
        try:
            with self.engine.connect() as connection:  # rolled back at the end, with its lock
                free = self._call(connection, "pg_try_advisory_xact_lock_shared", worker)
        except SQLAlchemyError:
            self._free_since.clear()
            raise
        if not free:
            self._free_since.pop(worker, None)
            self._seen[worker] = monotonic()
            return False
        return monotonic() - self._free_since.setdefault(worker, monotonic()) >= self.grace

    def _stay(self, worker: str, ready: Event, over: Event) -> None:
        """Has the worker's lock until all is over, in another session where one is lost."""
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        while not over.is_set():
            # Where the server is out of reach, again after a while.
            with suppress(SQLAlchemyError), self._locked(worker) as connection:
                ready.set()
                while not over.wait(PING):
                    connection.execute(text("SELECT 1"))
            over.wait(SOON)

    @contextmanager
    def _locked(self, word: str) -> Generator[Connection]:
        """A session that has a lock."""
        connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            self._call(connection, "pg_advisory_lock", word)
            yield connection
            self._call(connection, "pg_advisory_unlock", word)
        except BaseException:
            connection.invalidate()  # ends the session, and with it the lock
            raise
        finally:
            connection.close()

    def _call(self, connection: Connection, function: str, word: str) -> Any:
        from sqlalchemy import text

        digest = sha256(f"{self.study}/{word}".encode()).digest()
        number = int.from_bytes(digest[:8], "big", signed=True)
        return connection.execute(text(f"SELECT {function}(:number)"), {"number": number}).scalar()
