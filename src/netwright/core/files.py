"""Files that are whole or not there, written under another name, then renamed; text in bounds."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager
from errno import EFBIG, EINVAL, EISDIR
from pathlib import Path

__all__ = ["cache_folder", "leftovers", "read_text", "replacing", "write_bytes", "write_text"]

TEXT = 2**26
"""Bytes of text that are read at most: the JSON of the largest net has some 2 million."""
TEMPORARY = re.compile(r"\..+\.\d+\.tmp")
"""Names of temporary files: `.NAME.PROCESS.tmp`."""


@contextmanager
def replacing(path: Path | str) -> Generator[Path]:
    """A temporary path beside `path`; renamed to it when the block ends well, else removed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "a.txt")) as temporary:
    ...         _ = temporary.write_text("whole")
    ...     Path(folder, "a.txt").read_text()
    'whole'
    """
    target = Path(path).resolve()  # of a link, what it points to
    if target.is_dir():
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def leftovers(folder: Path) -> list[Path]:
    """Temporary files right in `folder` that a process left which was killed while it wrote."""
    inside = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in inside if TEMPORARY.fullmatch(path.name))


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


def write_text(path: Path | str, text: str) -> None:
    """Writes a text file whole or not at all; names of files that are no UTF-8 are escaped."""
    write_bytes(path, text.encode(errors="backslashreplace"))


def write_bytes(path: Path | str, data: bytes) -> None:
    """Writes a file whole or not at all; into pipes and devices, such as /dev/stdout."""
    target = Path(path)
    if target.exists() and not target.is_file() and not target.is_dir():
        target.write_bytes(data)
        return
    with replacing(target) as temporary:
        temporary.write_bytes(data)


def cache_folder() -> Path:
    """Where what was measured or fetched is kept, as the system has it."""
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        home = str(Path.home() / "Library" / "Caches")
    else:
        home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "netwright"
