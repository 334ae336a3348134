"""Images in folders: `FOLDER/class/*.jpg`, or that under `train`, `val` and `test`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from netwright.data.listing import FileReader, Listing
from netwright.data.reading import SUFFIXES, is_image, relative
from netwright.errors import DataError
from netwright.report.numbers import counted

__all__ = ["LAYOUT", "inside", "read_folder"]

ALIASES = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
LAYOUT = ("wanted FOLDER/class/*.jpg|png, the same under train/, val/ and test/, a .csv or "
          ".parquet with columns path and label, an .npz, .tar shards, or hf:NAME")  # fmt: skip


def read_folder(folder: Path) -> Listing:
    """Every image under `folder` with its class and, where the layout says so, its split.

    Raises `DataError` when there is nothing to learn from, or a folder cannot be read.
    """
    tops = _folders(folder)
    if not tops:
        loose = any(path.suffix.lower() in SUFFIXES for path in folder.iterdir())
        what = "holds images, but no folder a class" if loose else "is empty"
        raise DataError(f"{folder} {what}; {LAYOUT}")
    if any(ALIASES.get(top.name.lower()) == "train" and _folders(top) for top in tops):
        parts = {top: ALIASES.get(top.name.lower()) for top in tops}
        homes = [(part, sub) for top, part in parts.items() if part for sub in _folders(top)]
        aside = [top for top, part in parts.items() if not part]
        loose = _loose(folder, *(top for top, part in parts.items() if part))
    else:
        homes, aside, loose = [("", top) for top in tops], [], _loose(folder)
    files = [(split, home, inside(home)) for split, home in homes]
    return _listed(folder, files, [*loose, *(path for top in aside for path in inside(top))])


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def inside(home: str | Path) -> list[str]:
    """All files under a folder, in order; `DataError` where one of its folders cannot be read."""
    return list(_walk(os.fspath(home)))


def _walk(home: str) -> Iterator[str]:
    """Strings of one `scandir`: a `Path` a file would take fifty times as long."""
    try:
        with os.scandir(home) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
        for entry in ordered:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path)
            elif entry.is_file():
                yield entry.path
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read: {error.strerror}") from None


def _loose(*folders: Path) -> list[str]:
    """Files that lie where folders of classes are wanted."""
    entries = [entry for folder in folders for entry in os.scandir(folder)]
    return sorted(entry.path for entry in entries if entry.is_file())


def _listed(folder: Path, files: list[tuple[str, Path, list[str]]], outside: list[str]) -> Listing:
    """What the classes hold: (split, folder of the class, files in it) each; what is `outside`
    of all is passed over, and told.
    """
    rows = [(split, home.name, path) for split, home, inside in files for path in inside
            if is_image(path, home)]  # fmt: skip
    ignored = len(outside) + sum(len(inside) for _, _, inside in files) - len(rows)
    if not rows:
        raise DataError(f"no image under {folder} ({ignored} other files); {LAYOUT}")
    full = {(split, name) for split, name, _ in rows}
    unreadable = [f"{relative(home, folder)}: no image in this folder"
                  for split, home, _ in files if (split, home.name) not in full]  # fmt: skip
    classes = sorted({name for _, name, _ in rows})
    number = {name: i for i, name in enumerate(classes)}
    return Listing(
        source=str(folder),
        classes=classes,
        names=[relative(path, folder) for _, _, path in rows],
        labels=[number[name] for _, name, _ in rows],
        splits=[split for split, _, _ in rows],
        reader=FileReader.of([path for _, _, path in rows]),
        unreadable=unreadable,
        ignored=ignored,
        notes=_passed_over(folder, [path for path in outside if is_image(path, folder)]),
    )


def _passed_over(folder: Path, images: list[str]) -> list[str]:
    """What is told of images that lie in no folder of a class: how many there are, and where."""
    homes = Counter(os.path.dirname(relative(path, folder)) or "." for path in images)  # noqa: PTH120  a string
    return [f"{counted(count, 'image')} "
            + (f"right under {home}/, in no folder of a class" if home != "."
               else "beside the folders of the classes") + "; passed over"
            for home, count in homes.items()]  # fmt: skip
