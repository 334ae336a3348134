"""Where labelled images may be: folders, tables, arrays, shards, data sets of others."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from netwright.data.arrays import read_arrays
from netwright.data.folder import LAYOUT, read_folder
from netwright.data.hub import HUB, is_saved, is_table, read_hub, read_saved, read_table
from netwright.data.listing import Listing
from netwright.data.manifest import SUFFIXES as TABLES
from netwright.data.manifest import read_manifest
from netwright.data.shards import is_shards, read_shards, shards_in
from netwright.errors import DataError

__all__ = ["called", "listed", "source_of"]

OBJECT = "object:"
"""What the name of data that is in memory begins with; nobody can open it by that."""
UNFIT = re.compile(r"[^\w.]+")


def source_of(data: Any) -> str:
    """How run folders call data: its path or name, or that it was in memory."""
    return f"{OBJECT}{type(data).__name__}" if is_table(data) else str(data)


def called(data: Any) -> str:
    """A short name for data, which can be that of a folder.

    >>> called("hf:owner/flowers"), called("https://there/set-{000..009}.tar")
    ('flowers', 'set-000..009')
    """
    name = source_of(data)
    if name.startswith((HUB, OBJECT)) or is_shards(name):
        own = re.split(r"[:/]", name)[-1].removesuffix(".tar")
        return UNFIT.sub("-", own).strip("-.") or "images"
    return Path(os.path.realpath(name)).stem


def listed(data: Any) -> Listing:
    """What data holds; `DataError` where it is nothing to learn from.

    A folder of images, or of tar shards, or of `datasets`; a table of images (CSV, Parquet); an
    `.npz`; a tar, a pattern or an address of some; `hf:NAME`; a data set of `datasets` itself.
    """
    if is_table(data):
        return read_table(data, source_of(data))
    name = str(data)
    if not name:
        raise DataError(f"the data has an empty name; {LAYOUT}")
    if name.startswith(OBJECT):
        raise DataError(f"{name.removeprefix(OBJECT)} was in memory; give it again as the data")
    if name.startswith(HUB):
        return read_hub(name)
    path = Path(name)
    try:
        if is_shards(name) and not path.is_dir():
            return read_shards(name)
        return _read(path)
    except OSError as error:
        raise DataError(f"{error.filename or path} cannot be read: {error.strerror}") from None


def _read(path: Path) -> Listing:
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; {LAYOUT}")
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() in TABLES:
        return read_manifest(path)
    if path.suffix.lower() != ".npz":
        raise DataError(f"{path} is no folder, no table and no .npz; {LAYOUT}")
    return read_arrays(path)


def _folder(path: Path) -> Listing:
    if is_saved(path):
        return read_saved(path)
    shards = shards_in(path)
    return read_shards(str(path), shards) if shards else read_folder(path)
