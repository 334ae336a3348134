"""Images in folders: `FOLDER/class/*.jpg`, or that under `train`, `val` and `test`."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from netwright.data.found import Found
from netwright.data.image import SUFFIXES, UNREADABLE, header, is_image, read_image
from netwright.errors import DataError

__all__ = ["each", "read_folder"]

ALIASES = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
LAYOUT = "wanted FOLDER/class/*.jpg|png, the same under train/, val/ and test/, or an .npz"


def read_folder(folder: Path) -> Found:
    """Every image under `folder` with its class and, where the layout says so, its split.

    Raises `DataError` when there is nothing to learn from.
    """
    tops = _folders(folder)
    if not tops:
        loose = any(path.suffix.lower() in SUFFIXES for path in folder.iterdir())
        what = "holds images, but no folder a class" if loose else "is empty"
        raise DataError(f"{folder} {what}; {LAYOUT}")
    split_layout = any(ALIASES.get(top.name.lower()) == "train" and _folders(top) for top in tops)
    if split_layout:
        parts = [(ALIASES.get(top.name.lower()), top) for top in tops]
        homes = [(part, sub) for part, top in parts if part for sub in _folders(top)]
    else:
        homes = [("", top) for top in tops]
    return _listed(folder, homes)


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _listed(folder: Path, homes: list[tuple[str, Path]]) -> Found:
    files: list[tuple[str, str, Path]] = []
    unreadable: list[str] = []
    ignored = 0
    for split, home in homes:
        inside = sorted(path for path in home.rglob("*") if path.is_file())
        images = [path for path in inside if is_image(path, home)]
        ignored += len(inside) - len(images)
        if not images:
            unreadable.append(f"{home.relative_to(folder)}: no image in this folder")
        files += [(split, home.name, path) for path in images]
    if not files:
        raise DataError(f"no image under {folder} ({ignored} other files); {LAYOUT}")
    headers = each(_header, [path for _, _, path in files])
    unreadable += [f"{path.relative_to(folder)}: {found}"
                  for (_, _, path), found in zip(files, headers, strict=True)
                  if isinstance(found, str)]  # fmt: skip
    good = [(file, found) for file, found in zip(files, headers, strict=True)
            if not isinstance(found, str)]  # fmt: skip
    classes = sorted({name for _, name, _ in files})
    paths = [path for (_, _, path), _ in good]
    return Found(
        source=str(folder),
        classes=classes,
        names=[path.relative_to(folder).as_posix() for path in paths],
        labels=[classes.index(name) for (_, name, _), _ in good],
        splits=[split for (split, _, _), _ in good],
        sizes=[size for _, (size, _) in good],
        modes=[mode for _, (_, mode) in good],
        read=lambda i, size, channels: read_image(paths[i], size, channels),
        unreadable=unreadable,
        ignored=ignored,
    )


def _header(path: Path) -> tuple[tuple[int, int], str] | str:
    try:
        return header(path)
    except UNREADABLE as error:
        return "no image that Pillow knows" if "cannot identify" in str(error) else str(error)


def each(work: Any, items: Any) -> list[Any]:
    """`work` over items, in order, in as many threads as there are cores; Pillow frees the lock."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))
