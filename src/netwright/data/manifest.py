"""Images listed in a table: a row an image, in CSV or Parquet."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from netwright.data.folder import ALIASES
from netwright.data.listing import FileReader, Listing, order
from netwright.errors import DataError
from netwright.report.numbers import counted

__all__ = ["SUFFIXES", "read_manifest"]

SUFFIXES = (".csv", ".parquet")
COLUMNS = ("path", "label", "split", "weight")
NEEDED = COLUMNS[:2]
Table = dict[str, Sequence[Any]]


def read_manifest(path: Path) -> Listing:
    """The images that a table lists under `path` and `label`; `split` says train, val or test
    where it is there and not empty, `weight` what an image counts in the loss.

    Relative paths start at the folder of the table. Raises `DataError` for a table that lacks
    a column or a row, and for files that are not there.
    """
    table = _csv(path) if path.suffix.lower() == ".csv" else _parquet(path)
    names = [_text(path, row, "path", value) for row, value in _rows(table["path"])]
    if not names:
        raise DataError(f"{path} lists no image; wanted a row an image under {_listed(table)}")
    files = [path.parent / name for name in names]
    _present(path, names, files)
    labels = [_text(path, row, "label", value) for row, value in _rows(table["label"])]
    classes = sorted(set(labels), key=order)
    number = {name: i for i, name in enumerate(classes)}
    return Listing(
        source=str(path),
        classes=classes,
        names=names,
        labels=[number[label] for label in labels],
        splits=[_split(path, row, value) for row, value in _rows(table.get("split", ()))]
        or [""] * len(names),
        reader=FileReader.of(files),
        weights=[_weight(path, row, value) for row, value in _rows(table.get("weight", ()))],
        notes=_repeated(files),
    )


def _rows(values: Sequence[Any]) -> list[tuple[int, Any]]:
    """Values with the rows they stand in; a CSV's first line is its header."""
    return list(enumerate(values, 2))


def _csv(path: Path) -> Table:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            _wanted(path, header)
            table: dict[str, list[str]] = {name: [] for name in header if name in COLUMNS}
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    raise DataError(f"{path}: line {reader.line_num} has {len(row)} fields, the "
                                    f"first {len(header)}; quote what holds a comma")  # fmt: skip
                for name, value in zip(header, row, strict=True):
                    if name in table:
                        table[name].append(value)
    except UnicodeDecodeError:
        raise DataError(f"{path} is no text in UTF-8; save it as such") from None
    except csv.Error as error:
        raise DataError(f"{path} is no CSV: {error}") from None
    return dict(table)


def _parquet(path: Path) -> Table:
    try:
        from pyarrow import ArrowException, parquet  # type: ignore[import-not-found]
    except ImportError:
        raise DataError(f"{path}: Parquet needs pyarrow; try pip install 'netwright[parquet]', "
                        "or a .csv") from None  # fmt: skip
    try:
        with parquet.ParquetFile(path) as file:
            header = file.schema_arrow.names
            _wanted(path, header)
            columns = [name for name in COLUMNS if name in header]
            return dict(file.read(columns=columns).to_pydict())
    except (ArrowException, OSError) as error:
        raise DataError(f"{path} is no Parquet file: {str(error).splitlines()[0]}") from None


def _wanted(path: Path, header: Sequence[str]) -> None:
    missing = [name for name in NEEDED if name not in header]
    if missing:
        own = ", ".join(header)[:200] or "none"
        raise DataError(f"{path} has no column {' and no '.join(missing)}, but {own}; wanted path "
                        "and label, and perhaps split and weight")  # fmt: skip
    twice = [name for name in COLUMNS if list(header).count(name) > 1]
    if twice:
        raise DataError(f"{path} has two columns {twice[0]}; wanted one")


def _present(path: Path, names: list[str], files: list[Path]) -> None:
    missing = [at for at, file in enumerate(files) if not os.path.isfile(file)]  # noqa: PTH113  faster
    if missing:
        count = f"{len(missing):,} of {counted(len(files), 'file')}"
        first = f"the first in row {missing[0] + 2}: {names[missing[0]]}"
        raise DataError(f"{path}: not there: {count}, {first}; wanted paths from the folder of the "
                        "table")  # fmt: skip


def _text(path: Path, row: int, column: str, value: Any) -> str:
    text = "" if value is None else str(value).strip()
    if not text or "\0" in text:
        raise DataError(f"{path}: row {row} has {value!r} for a {column}; wanted text")
    return text


def _split(path: Path, row: int, value: Any) -> str:
    word = "" if value is None else str(value).strip().lower()
    if word and word not in ALIASES:
        raise DataError(f"{path}: row {row} has the split {value!r}; wanted train, val, test, "
                        "or nothing")  # fmt: skip
    return ALIASES.get(word, "")


def _weight(path: Path, row: int, value: Any) -> float:
    try:
        weight = float(1.0 if value is None or value == "" else value)
    except (TypeError, ValueError):
        weight = float("nan")
    if not isfinite(weight) or weight < 0:
        raise DataError(f"{path}: row {row} has the weight {value!r}; wanted a number of at "
                        "least 0")  # fmt: skip
    return weight


def _listed(table: Table) -> str:
    return ", ".join(name for name in COLUMNS if name in table)


def _repeated(files: list[Path]) -> list[str]:
    count = len(files) - len(set(files))
    return [f"files that several rows name: {counted(count, 'row')} too many"] if count else []
