"""A PostgreSQL server of the tests' own: on the loopback, with a data folder that goes again."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

__all__ = ["Server", "binaries"]

USERS = ("postgres", "nobody")
"""Who runs the server where we are root, as whom it does not run."""


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`; Debian keeps them off the PATH."""
    own = shutil.which("initdb")
    folders = [Path(own).resolve().parent] if own else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


class Server:
    """A server with one database; `url` says where."""

    def __init__(self) -> None:
        folder = binaries()
        assert folder is not None, "no PostgreSQL"
        self.binaries = folder
        self.home = Path(tempfile.mkdtemp(prefix="netwright-postgres-"))
        self.data = self.home / "data"
        self.as_user = {}
        if os.geteuid() == 0:
            user = next(user for user in USERS if _exists(user))
            os.chown(self.home, pwd.getpwnam(user).pw_uid, -1)
            self.as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"postgresql://tester:secret@127.0.0.1:{self.port}/postgres"
        self.process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", str(self.data), "-U", "tester", "-A", "trust", "--no-sync",
                  "--no-locale", "-E", "UTF8")  # fmt: skip

    def _run(self, name: str, *words: str) -> None:
        subprocess.run([str(self.binaries / name), *words], check=True, cwd=self.home,
                       stdout=subprocess.DEVNULL, **self.as_user)  # fmt: skip

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        words = ["-D", str(self.data), "-p", str(self.port), "-k", "", "-h", "127.0.0.1"]
        log = (self.home / "log").open("ab")
        self.process = subprocess.Popen([str(self.binaries / "postgres"), *words], cwd=self.home,
                                        stdout=log, stderr=log, start_new_session=True,
                                        **self.as_user)  # fmt: skip
        log.close()
        import psycopg

        until = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends it: SIGINT is a fast shutdown, SIGQUIT one as if it had crashed."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.home)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
