"""Images in tar shards, as webdataset writes them: `shards-{000..009}.tar`, here or remote.

Files of one name but for what follows its first dot are one example: `0007.jpg` and `0007.cls`.
The shards are plain, so an index of what lies where gives any image by its number: the order of
images needs no buffer to be shuffled in, follows from (seed, epoch, step), and is resumed anywhere.
"""

from __future__ import annotations

import json
import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from pathlib import Path
from shutil import copyfileobj
from typing import Any, NamedTuple

import numpy as np

from netwright.core.files import cache_folder, replacing
from netwright.data.folder import ALIASES
from netwright.data.listing import EncodedReader, Listing, order
from netwright.data.reading import ENDINGS
from netwright.errors import DataError

__all__ = ["Example", "ShardReader", "is_shards", "read_shards", "shards_in"]

SCHEMES = ("http", "https", "gs", "hf", "sftp", "ftps", "scp")
"""What webdataset opens and no shell is asked for."""
RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
REMOTE = re.compile(r"([a-z0-9]+)://\S+")
SPLIT = re.compile(r"[-_./]")
WORDS = ("label", "class", "cls")
"""Where the JSON of an example says its class."""
CURL = {
    6: "its host is not known, or there is no network",
    7: "nobody answers there",
    22: "the server has no such file, or does not give it",
    28: "the server did not answer in time",
    35: "no secure connection could be made",
    60: "the server's certificate is not trusted",
}
"""What the exit codes of curl mean, which fetches from the web."""
MOST = 100_000
"""Shards that a pattern names at most."""


@dataclass(frozen=True)
class ShardReader(EncodedReader):
    """Images at places in files: image i has `length[i]` bytes from `start[i]` of a shard on."""

    paths: tuple[str, ...]
    shard: np.ndarray
    start: np.ndarray
    length: np.ndarray

    def file(self, i: int) -> bytes:
        """The bytes of image i; `DataError` where its shard is gone, or shorter than it was."""
        path = self.paths[self.shard[i]]
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123  faster
                data = os.pread(file.fileno(), int(self.length[i]), int(self.start[i]))
        except OSError as error:
            raise DataError(f"{path}: {error.strerror}") from None
        if len(data) < self.length[i]:
            raise DataError(f"{path}: shorter than it was when it was listed")
        return data

    def fingerprint(self, i: int) -> bytes:
        return str(self.length[i]).encode()


class Example(NamedTuple):
    """An image in a shard and its label; 0 `length` where there is no image."""

    key: str
    label: str
    start: int
    length: int


def is_shards(data: str) -> bool:
    """Whether a text names shards: a tar, a pattern of them, or an address."""
    return data.lower().endswith(".tar") or REMOTE.fullmatch(data) is not None


def shards_in(folder: Path) -> list[str]:
    """The shards right in a folder and in those of its splits."""
    homes = [folder, *(path for path in sorted(folder.iterdir())
                       if path.is_dir() and path.name.lower() in ALIASES)]  # fmt: skip
    return [str(path) for home in homes for path in sorted(home.glob("*.tar"))]


def read_shards(source: str, paths: list[str] | None = None) -> Listing:
    """The images and labels of shards: one tar, a pattern such as `train-{000..009}.tar`, an
    address of either, or the `paths` of a folder.

    The label is the text of `.cls`, or `label`, `class` or `cls` in `.json`. The split is in the
    name: `train-000.tar` or `train/000.tar`. Remote shards are fetched once and kept.
    Raises `DataError` for what is no tar, and for examples without a label.
    """
    names = paths or _expanded(source)
    local = [_fetched(name) if REMOTE.fullmatch(name) else name for name in names]
    rows = list[tuple[int, Example]]()
    without = 0
    for number, path in enumerate(local):
        for example in _examples(path):
            if example.length:
                rows.append((number, example))
            without += not example.length
    if not rows:
        raise DataError(f"{source}: no image in {len(names)} shard(s); wanted examples such as "
                        "0007.jpg and 0007.cls")  # fmt: skip
    classes = sorted({example.label for _, example in rows}, key=order)
    number_of = {name: i for i, name in enumerate(classes)}
    splits = [_split(name) for name in names]
    several = len(names) > 1
    return Listing(
        source=source,
        classes=classes,
        names=[f"{Path(names[shard]).name}:{example.key}" if several else example.key
               for shard, example in rows],
        labels=[number_of[example.label] for _, example in rows],
        splits=[splits[shard] for shard, _ in rows],
        reader=ShardReader(
            tuple(local),
            *(np.array(column, np.int64) for column in (
                [shard for shard, _ in rows],
                [example.start for _, example in rows],
                [example.length for _, example in rows],
            )),
        ),
        notes=[f"{without:,} examples hold no image; passed over"] if without else [],
    )  # fmt: skip


def _expanded(pattern: str) -> list[str]:
    """The names of a pattern: `{08..11}` stands for 08, 09, 10 and 11.

    >>> _expanded("a-{08..10}.tar")
    ['a-08.tar', 'a-09.tar', 'a-10.tar']
    """
    texts = RANGE.split(pattern)[::3]
    ranges = [(int(low), int(high), len(low)) for low, high in RANGE.findall(pattern)]
    count = 1
    for low, high, _ in ranges:
        count *= max(0, high - low + 1)
    if "{" in "".join(texts):
        raise DataError(f"{pattern}: braces stand for a range of numbers, such as in "
                        "shards-{000..009}.tar")  # fmt: skip
    if not 0 < count <= MOST:
        raise DataError(f"{pattern} names {count:,} shards; wanted 1 to {MOST:,}, such as by "
                        "shards-{000..009}.tar")  # fmt: skip
    numbers = [[f"{n:0{digits}}" for n in range(low, high + 1)] for low, high, digits in ranges]
    return ["".join(part for pair in zip(texts, [*chosen, ""], strict=True) for part in pair)
            for chosen in product(*numbers)]  # fmt: skip


def _split(name: str) -> str:
    """What a shard's file or folder is called after: `train-0003.tar`, `val/3.tar`."""
    path = Path(name)
    words = [SPLIT.split(path.name)[0], path.parent.name]
    return next((ALIASES[word.lower()] for word in words if word.lower() in ALIASES), "")


def _examples(path: str) -> Iterator[Example]:
    """Every example of a tar, its image left where it is."""
    members, key = dict[str, tarfile.TarInfo](), ""
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                name, dot, ending = _parted(member.name)
                if not member.isreg() or not dot or os.path.basename(name).startswith("."):  # noqa: PTH119  a string
                    continue
                if name != key and members:
                    yield _example(path, key, members, tar)
                    members = {}
                key = name
                if ending in members:
                    raise DataError(f"{path} holds two of {name}.{ending}; wanted one name an "
                                    "example")  # fmt: skip
                members[ending] = member
                tar.members.clear()  # type: ignore[attr-defined]  it would keep all of them
            if members:
                yield _example(path, key, members, tar)
    except tarfile.TarError as error:
        hint = "; unpack it first" if path.endswith(("gz", "bz2", "xz", "zst")) else ""
        raise DataError(f"{path} is no whole tar: {error}{hint}") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


def _parted(name: str) -> tuple[str, str, str]:
    """(name of the example, dot, ending) of a file, as webdataset parts them.

    >>> _parted("some/0007.left.jpg")
    ('some/0007', '.', 'left.jpg')
    """
    home, slash, own = name.rpartition("/")
    own, dot, ending = own.partition(".")
    return home + slash + own, dot, ending.lower()


def _example(
    path: str, key: str, members: dict[str, tarfile.TarInfo], tar: tarfile.TarFile
) -> Example:
    images = [ending for ending in members if f".{ending}".endswith(ENDINGS)]
    if len(images) > 1:
        raise DataError(f"{path}: {key} has {len(images)} images, {' and '.join(images[:2])}; "
                        "wanted one an example")  # fmt: skip
    if not images:
        return Example(key, "", 0, 0)
    image = members[images[0]]
    return Example(key, _label(path, key, members, tar), image.offset_data, image.size)


def _label(path: str, key: str, members: dict[str, tarfile.TarInfo], tar: tarfile.TarFile) -> str:
    label: Any = None
    try:
        if "cls" in members:
            label = _bytes(tar, members["cls"]).decode().strip()
        elif "json" in members:
            record = json.loads(_bytes(tar, members["json"]))
            if isinstance(record, dict):
                label = next((record[word] for word in WORDS if word in record), None)
    except (ValueError, RecursionError):
        label = None
    if isinstance(label, bool) or not isinstance(label, str | int) or str(label).strip() == "":
        raise DataError(f"{path}: {key} has no label; wanted {key}.cls, or a label in {key}.json")
    return str(label).strip()


def _bytes(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return b"" if file is None else file.read()


def _fetched(address: str) -> str:
    """The shard of an address, kept under the cache folder; fetched by webdataset."""
    scheme = address.partition("://")[0]
    if scheme not in SCHEMES:
        raise DataError(f"{address}: shards are read from {', '.join(SCHEMES)}; mount it, or copy "
                        "the shards")  # fmt: skip
    place = cache_folder() / "shards" / sha256(address.encode()).hexdigest()[:16]
    kept = place / address.rpartition("/")[2]
    if kept.is_file():
        return str(kept)
    try:
        from webdataset.gopen import gopen  # type: ignore[import-not-found]
    except ImportError:
        raise DataError(f"{address}: remote shards need webdataset; try pip install "
                        "'netwright[streams]', or copy them here") from None  # fmt: skip
    try:
        with replacing(kept) as temporary, temporary.open("wb") as file, gopen(address) as remote:
            copyfileobj(remote, file)
    except (OSError, ValueError) as error:
        raise DataError(f"{address} cannot be fetched: {_fault(error)}; try whether it opens "
                        "elsewhere, or copy the shards here") from None  # fmt: skip
    return str(kept)


def _fault(error: OSError | ValueError) -> str:
    """What went wrong, in words: webdataset quotes the call of the program that was to fetch."""
    program, code = re.search(r"\['(\w+)'", str(error)), re.search(r"exit (\d+)", str(error))
    if program is None or code is None:
        return " ".join(str(error).split())[:200]
    known = CURL.get(int(code[1]), "") if program[1] == "curl" else ""
    return known or f"{program[1]} ended with exit code {code[1]}"
