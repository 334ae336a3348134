"""Labelled images of Hugging Face `datasets`: from the hub, from `save_to_disk`, or at hand.

Images stay encoded in their memory-mapped tables until they are needed, as files do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from netwright.data.folder import ALIASES
from netwright.data.listing import EncodedReader, Listing, order
from netwright.errors import DataError
from netwright.report.numbers import counted

__all__ = ["HUB", "TableReader", "is_saved", "is_table", "read_hub", "read_saved", "read_table"]

HUB = "hf:"
"""What names of sets on the hub begin with: `hf:cifar10`, `hf:NAME:CONFIGURATION`."""
IMAGES = ("image", "img", "picture", "photo", "pixels")
LABELS = ("label", "labels", "fine_label", "class", "target", "category")
HELP = (
    "; look its name up on huggingface.co/datasets, set HF_HUB_OFFLINE=1 to take what was fetched "
    "before without waiting for the network, or give a folder of save_to_disk"
)
"""What to try where a set of the hub cannot be loaded."""
SAVED = ("dataset_dict.json", "dataset_info.json")
"""What `save_to_disk` leaves in a folder."""
MISSING = -1
"""The label of rows that have none, by the custom of the hub."""
TOGETHER = 1000
"""Rows whose lengths are asked for at a time."""


@dataclass(frozen=True)
class TableReader(EncodedReader):
    """Images in a column of tables: image i is in `row[i]` of `tables[part[i]]`."""

    tables: tuple[Any, ...]
    column: str
    part: np.ndarray
    row: np.ndarray
    length: np.ndarray

    def file(self, i: int) -> bytes | Path:
        """The bytes of image i, or where its file is."""
        table = self.tables[self.part[i]][int(self.row[i])]
        value = table[self.column][0].as_py()
        if not value or not (value["bytes"] or value["path"]):
            raise DataError(f"row {self.row[i]}: no image")
        return value["bytes"] or Path(value["path"])

    def fingerprint(self, i: int) -> bytes:
        return str(self.length[i]).encode()


def is_table(data: Any) -> bool:
    """Whether something is a data set of `datasets`, or several by the names of their splits."""
    return type(data).__module__.startswith("datasets.")


def is_saved(folder: Path) -> bool:
    """Whether `save_to_disk` has made a folder."""
    return any((folder / name).is_file() for name in SAVED)


def read_saved(folder: Path) -> Listing:
    """The images of a folder that `save_to_disk` has made."""
    try:
        data = _library(str(folder)).load_from_disk(str(folder))
    except Exception as error:  # noqa: BLE001  what readers of JSON and Arrow raise
        raise _wrong(f"{folder} is no whole data set", error) from None
    return read_table(data, str(folder))


def read_hub(name: str) -> Listing:
    """The images of `hf:NAME` or `hf:NAME:CONFIGURATION`, fetched where they are not kept yet."""
    own, _, configuration = name.removeprefix(HUB).partition(":")
    if not own:
        raise DataError(f"{name!r} names no data set; wanted such as hf:cifar10")
    try:
        data = _library(name).load_dataset(own, configuration or None)
    except Exception as error:  # noqa: BLE001  what networks, hubs and readers raise
        raise _wrong(f"{name} cannot be loaded", error, HELP) from None
    return read_table(data, name)


def _library(name: str) -> Any:
    try:
        import datasets
    except ImportError:
        raise DataError(f"{name}: Hugging Face data sets need datasets; try pip install "
                        "'netwright[streams]'") from None  # fmt: skip
    return datasets


def _wrong(what: str, error: Exception, tip: str = "") -> DataError:
    if isinstance(error, DataError):
        return error
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return DataError(f"{what}: {lines[0][:240].rstrip('.')}{tip}")


def read_table(data: Any, source: str) -> Listing:
    """The images of a `Dataset`, or of a `DatasetDict` by its splits.

    The column of images is the one of that type, that of labels one called `label` or the like,
    or the only one of classes; rows without a label are passed over, and splits that are neither
    train, validation nor test. Raises `DataError` where there is no such column.
    """
    splits: Mapping[str, Any] = data if isinstance(data, Mapping) else {"": data}
    notes, parts = list[str](), dict[str, Any]()
    for name, rows in splits.items():
        if not hasattr(rows, "__len__"):
            raise DataError(f"{source} is read once, row by row; wanted a set of known length: "
                            "load it without streaming=True")  # fmt: skip
        if name and name.lower() not in ALIASES:
            notes.append(f"split {name} of {counted(len(rows), 'image')} is none of train, "
                         "validation and test; passed over")  # fmt: skip
        elif len(rows):
            parts[name] = rows
    if not parts:
        raise DataError(f"{source} holds no rows of a split train, validation or test")
    features = next(iter(parts.values())).features
    image, label = _image_column(source, features), _label_column(source, features)
    for name, rows in parts.items():
        if any(rows.features.get(column) != features[column] for column in (image, label)):
            raise DataError(f"{source}: columns {image} and {label} of {name} are of other types "
                            "than those of the first split")  # fmt: skip
    labels = {name: _labels(rows, label, features[label]) for name, rows in parts.items()}
    kept = [(part, row, name, value) for part, (name, values) in enumerate(labels.items())
            for row, value in enumerate(values) if value is not None]  # fmt: skip
    if not kept:
        raise DataError(f"{source}: no row has a {label}")
    without = sum(map(len, labels.values())) - len(kept)
    if without:
        notes.append(f"{counted(without, 'row')} without {label}; passed over")
    classes = getattr(features[label], "names", None) or sorted({v for *_, v in kept}, key=order)
    number = {name: i for i, name in enumerate(classes)}
    tables = tuple(_encoded(rows, image) for rows in parts.values())
    counts = [_lengths(table, image) for table in tables]
    lengths = np.array([counts[part][row] for part, row, *_ in kept])
    part, row = (np.array([entry[axis] for entry in kept], np.int64) for axis in (0, 1))
    return Listing(
        source=source,
        classes=list(classes),
        names=[f"{name or 'row'}[{row}]" for _, row, name, _ in kept],
        labels=[number[value] for *_, value in kept],
        splits=[ALIASES.get(name.lower(), "") for _, _, name, _ in kept],
        reader=TableReader(tables, image, part, row, lengths),
        notes=notes,
    )


def _kind(feature: Any) -> str:
    return type(feature).__name__


def _image_column(source: str, features: Mapping[str, Any]) -> str:
    images = [name for name, feature in features.items() if _kind(feature) == "Image"]
    chosen = images if len(images) == 1 else [name for name in IMAGES if name in images]
    if not chosen:
        raise DataError(f"{source} has columns {_shown(features)}; wanted one of images (the "
                        "feature Image), called image if there are several")  # fmt: skip
    return chosen[0]


def _label_column(source: str, features: Mapping[str, Any]) -> str:
    kinds = {name: _kind(feature) for name, feature in features.items()}
    named = [name for name in LABELS if kinds.get(name) in ("ClassLabel", "Value")]
    classes = [name for name, kind in kinds.items() if kind == "ClassLabel"]
    if named or len(classes) == 1:
        return (named or classes)[0]
    raise DataError(f"{source} has columns {_shown(features)}; wanted one of classes, called label "
                    "if there are several")  # fmt: skip


def _shown(features: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} ({_kind(feature)})" for name, feature in features.items())[:300]


def _labels(rows: Any, column: str, feature: Any) -> Sequence[str | None]:
    """The name of every row's class; None where it has none."""
    values = rows.select_columns([column]).with_format("arrow")[:][column].to_pylist()
    names = getattr(feature, "names", None)
    if names:
        return [None if value in (None, MISSING) else names[value] for value in values]
    return [None if value in (None, MISSING) else str(value) for value in values]


def _encoded(rows: Any, column: str) -> Any:
    """Rows of one column, whose images stay encoded."""
    image = type(rows.features[column])(decode=False)
    return rows.select_columns([column]).cast_column(column, image).with_format("arrow")


def _lengths(table: Any, column: str) -> np.ndarray:
    """Bytes of every image, which are not read for it; 0 where they are in a file."""
    import pyarrow.compute  # type: ignore[import-not-found]

    compute: Any = pyarrow.compute  # its functions are made when it is imported
    counts = [
        compute.binary_length(compute.struct_field(batch[column], "bytes")).fill_null(0).to_numpy()
        for batch in table.iter(TOGETHER)
    ]
    return np.concatenate(counts)
