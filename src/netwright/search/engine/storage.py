"""Where a study is kept: a journal file of one machine, or PostgreSQL for many.

Both are storages of Optuna (Akiba et al. 2019, arXiv:1907.10902), whose dashboard shows them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeVar

from netwright.errors import SearchError
from netwright.search.engine.locks import FileLocks, Locks, PostgresLocks

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

__all__ = ["INSTALL", "Place", "Unreachable", "opened", "quietly", "shown", "studies"]

Result = TypeVar("Result")

INSTALL = "pip install 'netwright[search]'"
SHORTEST, LONGEST = 0.25, 10.0
"""Seconds between two tries to reach a storage, at first and at most."""
CONNECT = 5
"""Seconds that one try waits for PostgreSQL."""
SESSION = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
"""The server ends a session, and frees its locks, a minute after its machine has gone silent."""
TABLES = 0x6E657477
"""The lock under which tables are made: two workers that begin at once would make them twice."""


class Unreachable(SearchError):
    """A storage that does not answer, and why not."""

    def __init__(self, where: str, fault: str) -> None:
        super().__init__(f"storage {shown(where)} cannot be reached: {fault}; nothing is lost; is "
                         "the server up, and does it let us in?")  # fmt: skip
        self.fault = fault


class Place:
    """A storage and the locks of a study in it; waits while it is out of reach.

    Arguments:
        where: a journal file, or `postgresql://USER:PASSWORD@HOST/DATABASE`.
        study: the name of the study, unique in a database.
        tell: hears a line when the storage is lost, and when it is back.
        wait: whether to wait for a storage that is out of reach at the beginning too.
    """

    def __init__(
        self, where: str, study: str, tell: Callable[[str], None], *, wait: bool = False
    ) -> None:
        self.where, self.study, self.tell = where, study, tell
        self.close: Callable[[], None] = lambda: None
        parts = self.reach(lambda: opened(where, study)) if wait else opened(where, study)
        self.storage, self.locks, self.close = parts

    def reach(self, act: Callable[[], Result]) -> Result:
        """The result of `act`, however long its storage is out of reach: it is done again, so it
        has to be fit for that.
        """
        began, pause = None, SHORTEST
        while True:
            try:
                with quietly():
                    result = act()
            except Exception as error:
                fault = unreachable(error)
                if fault is None:
                    raise
            else:
                if began is not None:
                    seconds = monotonic() - began
                    self.tell(f"{shown(self.where)} is back after {seconds:.0f} seconds")
                return result
            self.close()  # sessions that ended with the server; others are opened
            if began is None:
                began = monotonic()
                self.tell(f"{shown(self.where)} cannot be reached ({fault}); nothing is lost, "
                          "trying again until it is back")  # fmt: skip
            sleep(pause)
            pause = min(LONGEST, 2 * pause)


Opened = tuple["BaseStorage", Locks, Callable[[], None]]
"""A storage, the locks of a study in it, and what closes both."""


def opened(where: str, study: str) -> Opened:
    """The storage and the locks of a study; `SearchError` where there is none to be had."""
    if "://" in where:
        return _database(where, study)
    if find_spec("fcntl") is None:
        raise SearchError("a journal needs the file locks of Linux or macOS; on this system use "
                          "the storage postgresql://...")  # fmt: skip
    from netwright.search.engine.journal import damaged, is_journal, journal

    path = Path(where)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SearchError(f"the folder {path.parent} cannot be made: {error.strerror}; choose "
                          "another folder or storage") from None  # fmt: skip
    try:
        if not is_journal(path):
            raise SearchError(f"{path} is no journal of a search; choose another storage")
        locks = FileLocks(path.with_name(path.name + ".locks"))
        return journal(path, locks.folder), locks, lambda: None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SearchError(f"{path} cannot be read as a journal: {damaged(path)}"
                          f"{str(error)[:80]}; choose another storage") from None  # fmt: skip
    except OSError as error:
        raise SearchError(f"{path} cannot be used as a journal: {error.strerror}; choose another "
                          "storage") from None  # fmt: skip


def studies(place: Place) -> list[str]:
    """The names of the studies that a storage holds, sorted."""
    kept = place.reach(place.storage.get_all_studies)
    return sorted(study.study_name for study in kept)


def _database(url: str, study: str) -> Opened:
    scheme, _, rest = url.partition("://")
    if scheme not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise SearchError(f"storage {shown(url)} is of the kind {scheme!r}; wanted a file, or "
                          "postgresql://USER:PASSWORD@HOST/DATABASE")  # fmt: skip
    if not (find_spec("psycopg") and find_spec("sqlalchemy")):
        raise SearchError(f"a study in PostgreSQL needs its driver: {INSTALL}")
    from optuna.exceptions import OptunaError
    from optuna.storages import RDBStorage, get_storage
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import SQLAlchemyError

    full = f"postgresql+psycopg://{rest}"
    options = {"connect_args": {"connect_timeout": CONNECT, "options": SESSION}}
    engine = None
    try:
        engine = create_engine(full, **options)
        with engine.connect() as connection, quietly():
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": TABLES})
            storage = RDBStorage(full, engine_kwargs=dict(options))
    except (SQLAlchemyError, OptunaError, ValueError, RuntimeError) as error:
        if engine is not None:
            engine.dispose()
        raise Unreachable(url, _fault(error)) from None

    def close() -> None:
        storage.engine.dispose()
        engine.dispose()

    return get_storage(storage), PostgresLocks(engine, study), close


@contextmanager
def quietly() -> Generator[None]:
    """Without Optuna's word of every study that begins and every session that is lost."""
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def shown(where: str) -> str:
    """A storage without its password.

    >>> shown("postgresql://ada:secret@host/db")
    'postgresql://ada:***@host/db'
    """
    scheme, mark, rest = where.partition("://")
    user, at, host = rest.rpartition("@")
    if not mark or not at or ":" not in user:
        return where
    return f"{scheme}://{user.partition(':')[0]}:***@{host}"


def unreachable(error: BaseException) -> str | None:
    """Why a storage cannot be reached, if that is what an error says; None for any other error."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, Unreachable):
        return error.fault
    while error.__cause__ is not None and type(error).__name__ == "StorageInternalError":
        error = error.__cause__
    names = {kind.__name__ for kind in type(error).__mro__}
    lost = names & {"OperationalError", "InterfaceError", "InternalError", "PendingRollbackError"}
    return _fault(error) if lost else None


def _fault(error: BaseException) -> str:
    cause: Any = getattr(error, "orig", None) or error.__cause__ or error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0][:160]
