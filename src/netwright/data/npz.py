"""The arrays of an `.npz`, one by one, looked at before they are read."""

from __future__ import annotations

from math import prod
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo, is_zipfile

import numpy as np
from numpy.lib import format as npy

from netwright.core.machine import memory
from netwright.errors import DataError

__all__ = ["Arrays"]

SUFFIX = ".npy"
ZIP = "a zip"
RATIO = 1100
"""Deflate makes nothing more than some 1,030 times smaller; who claims more lies."""
ENCRYPTED = 1
"""The flag of zip for it."""
READERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class Arrays:
    """What an `.npz` holds by name; `read` brings one array into memory.

    Raises `DataError` for what is no `.npz` of plain arrays, and for arrays that are damaged,
    encrypted, other than they say, or larger than the memory of the machine.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.size = path.stat().st_size
            kind = _kind(path)
            infos = _members(path) if kind == ZIP else []
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
        except Exception:  # noqa: BLE001  what zipfile raises for damaged directories
            raise DataError(f"{path} is a damaged .npz: its table of contents is broken") from None
        if kind != ZIP:
            raise DataError(f"{path} is {kind}; wanted an .npz of images and labels")
        self.members = {info.filename.removesuffix(SUFFIX): info
                        for info in infos if info.filename.endswith(SUFFIX)}  # fmt: skip

    def __contains__(self, name: str) -> bool:
        return name in self.members

    @property
    def names(self) -> list[str]:
        """Sorted."""
        return sorted(self.members)

    def read(self, name: str) -> np.ndarray:
        """The array of that name."""
        info = self.members[name]
        self._check(name, info)
        try:
            return self._read(name, info)
        except DataError:
            raise
        except MemoryError:
            raise DataError(
                f"{self.path}: {name} is damaged, or there is no memory for it"
            ) from None
        except BadZipFile as error:
            raise DataError(f"{self.path}: {name} is damaged: {error}") from None
        except Exception:  # noqa: BLE001  zlib, lzma, numpy and Python each have their own
            raise DataError(f"{self.path}: {name} is damaged") from None

    def _check(self, name: str, info: ZipInfo) -> None:
        if info.flag_bits & ENCRYPTED:
            raise DataError(f"{self.path}: {name} is encrypted; save it without a password")
        packed = min(info.compress_size, self.size)
        if info.file_size > max(RATIO * packed, packed + 2**16):
            raise DataError(f"{self.path}: {name} says that it has {info.file_size:,} bytes, which "
                            f"{packed:,} packed ones cannot be")  # fmt: skip

    def _read(self, name: str, info: ZipInfo) -> np.ndarray:
        with ZipFile(self.path) as file, file.open(info) as member:
            version = npy.read_magic(member)
            shape, _, dtype = READERS[version](member)
            if dtype.hasobject:
                raise DataError(f"{self.path}: {name} holds Python objects; wanted plain arrays "
                                "of numbers or text")  # fmt: skip
            data, own = prod(shape) * dtype.itemsize, info.file_size - member.tell()
        claim = f"{self.path}: {name} is {shape} of {dtype} by its header, {data:,} bytes"
        if min(shape, default=0) < 0 or data != own:
            raise DataError(f"{claim}; it has {own:,}")
        if data > memory():
            raise DataError(f"{claim}; this machine has {memory():,}. Try images of fewer pixels, "
                            "a smaller type, or a folder of images")  # fmt: skip
        with ZipFile(self.path) as file, file.open(info) as member:
            return npy.read_array(member, allow_pickle=False)


def _kind(path: Path) -> str:
    """What a file is by its looks."""
    if not path.is_file():
        return "a pipe or device"
    with path.open("rb") as file:
        if file.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX:
            return "one array, an .npy"
    return ZIP if is_zipfile(path) else "no .npz, or only a part of one"


def _members(path: Path) -> list[ZipInfo]:
    with ZipFile(path) as file:
        return file.infolist()
