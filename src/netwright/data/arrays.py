"""Images or signals in an `.npz`: arrays and labels, in one piece or already split."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from netwright.core.text import plain
from netwright.data.image import to_bytes
from netwright.data.listing import ArrayReader, Listing, PackedReader
from netwright.data.npz import Arrays
from netwright.data.signals import SignalReader
from netwright.errors import DataError

__all__ = ["read_arrays"]

SIGNALS = "signals"
WHOLE = (("images", "labels"), ("x", "y"), ("X", "y"), ("data", "target"), ("data", "labels"),
         (SIGNALS, "labels"))  # fmt: skip
NAMES = ("classes", "class_names", "target_names", "label_names")
PACKED = "jpeg"
SIGNAL = 16
"""How much longer a signal is than it has channels, at least, where nobody says that it is one."""
TOPS = (1.0, 16.0, 255.0, 65535.0)
"""Usual largest values; the first that covers an array is taken for white."""


def read_arrays(path: Path) -> Listing:
    """The images and labels of an `.npz`.

    Images are (N, H, W), (N, H, W, C) or (N, C, H, W) under `images`, `x` or `data`, labels
    (N,) under `labels`, `y` or `target`; or `x_train, y_train, x_test, y_test` and the like.
    Signals are (N, L), or (N, C, L) under `signals` or 16 times as long as they have channels.
    Or image files in one array of bytes, `jpeg`, of which number i begins at `offsets[i]`.
    """
    arrays = Arrays(path)
    if PACKED in arrays:
        return _packed(path, arrays)
    pairs = _pairs(path, arrays)
    labels = [_labels(path, y, arrays.read(y)) for _, _, y in pairs]
    images = [_laid_out(path, x, arrays.read(x)) for _, x, _ in pairs]
    for (_, x, y), image, label in zip(pairs, images, labels, strict=True):
        if len(image) != len(label):
            raise DataError(f"{path}: {x} has {len(image)} images, {y} has {len(label)} labels")
        if image.shape[1:] != images[0].shape[1:]:
            raise DataError(
                f"{path}: {x} holds {image.shape[1:]}, {pairs[0][1]} {images[0].shape[1:]}"
            )
    pixels, values = np.concatenate(images), np.concatenate(labels)
    bounds = _range(path, pixels)
    signals = pixels.ndim == 3
    classes, index = _classes(arrays, values)
    return Listing(
        source=str(path),
        classes=classes,
        names=[
            f"{x}[{i}]"
            for (_, x, _), part in zip(pairs, images, strict=True)
            for i in range(len(part))
        ],
        labels=index,
        splits=[split for (split, _, _), part in zip(pairs, images, strict=True) for _ in part],
        reader=SignalReader(pixels.astype(np.float32))
        if signals
        else ArrayReader(to_bytes(pixels, bounds)),
        range=bounds,
    )


def _packed(path: Path, arrays: Arrays) -> Listing:
    """Image files one after another, as an `.npz` of photos keeps them small."""
    missing = [name for name in ("offsets", "labels") if name not in arrays]
    if missing:
        raise DataError(f"{path} has {PACKED}, but no {' and no '.join(missing)}; wanted where "
                        "each file begins, and its label")  # fmt: skip
    data, offsets = arrays.read(PACKED), arrays.read("offsets")
    labels = _labels(path, "labels", arrays.read("labels"))
    if data.dtype != np.uint8 or data.ndim != 1:
        raise DataError(
            f"{path}: {PACKED} is {data.shape} of {data.dtype}; wanted (bytes,) of uint8"
        )
    if offsets.dtype.kind not in "ui" or offsets.shape != (len(labels) + 1,):
        raise DataError(f"{path}: offsets is {offsets.shape} of {offsets.dtype} for {len(labels)} "
                        f"labels; wanted ({len(labels) + 1},) of integers")  # fmt: skip
    offsets = offsets.astype(np.int64)
    if offsets[0] < 0 or offsets[-1] > len(data) or (np.diff(offsets) < 0).any():
        raise DataError(
            f"{path}: offsets do not go up from 0 to the {len(data):,} bytes of {PACKED}"
        )
    if not len(labels):
        raise DataError(f"{path} holds no image")
    classes, index = _classes(arrays, labels)
    names = [f"{PACKED}[{i}]" for i in range(len(labels))]
    return Listing(str(path), classes, names, index, [""] * len(labels),
                   PackedReader(data, offsets))  # fmt: skip


def _classes(arrays: Arrays, values: np.ndarray) -> tuple[list[str], list[int]]:
    """Names of the classes, and the number of each label's."""
    distinct, index = np.unique(values, return_inverse=True)
    given = next((arrays.read(name) for name in NAMES if name in arrays), None)
    if (
        given is not None
        and given.ndim == 1
        and len(given) > int(index.max(initial=0))
        and _is_index(distinct, len(given))
    ):
        return [str(name) for name in given], values.astype(int).tolist()
    return [str(value) for value in distinct], index.tolist()


def _labels(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    """(N,) labels; whole numbers and text, however they are kept."""
    if values.ndim > 1 and values.size != len(values):
        raise DataError(f"{path}: {name} is {values.shape}; wanted one label an image, (N,)")
    values = values.reshape(-1)
    if values.dtype.kind not in "buifUS":
        raise DataError(f"{path}: {name} is of type {values.dtype}; wanted numbers or text")
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8", "backslashreplace")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DataError(f"{path}: {name} holds labels that are not finite")
    whole = values.dtype.kind == "f" and bool((values == np.floor(values)).all())
    return values.astype(np.int64) if whole else values


def _pairs(path: Path, arrays: Arrays) -> list[tuple[str, str, str]]:
    """(split, name of the images, name of the labels) of every pair in the file."""
    pairs: list[tuple[str, str, str]] = []
    for split in ("train", "val", "test"):
        for x, y in WHOLE:
            for a, b in ((f"{x}_{split}", f"{y}_{split}"), (f"{split}_{x}", f"{split}_{y}")):
                if a in arrays and b in arrays and split not in [own for own, _, _ in pairs]:
                    pairs.append((split, a, b))
    if any(split == "train" for split, _, _ in pairs):
        return pairs
    for x, y in WHOLE:
        if x in arrays and y in arrays:
            return [("", x, y)]
    names = plain(", ".join(arrays.names))[:200] or "nothing"
    raise DataError(f"{path} holds {names}; wanted images and labels, or x_train, y_train, "
                    "x_test, y_test")  # fmt: skip


def _laid_out(path: Path, name: str, images: np.ndarray) -> np.ndarray:
    """Images (N, H, W, C) of numbers, with one, three or four channels, or signals (N, C, L)."""
    if images.dtype.kind not in "buif":
        raise DataError(f"{path}: images of type {images.dtype}; wanted numbers")
    if images.ndim == 2:
        return images[:, None]
    if images.ndim == 3 and (SIGNALS in name or _is_signal(images)):
        return images
    if images.ndim == 3 and _is_signal(images.transpose(0, 2, 1)):
        raise DataError(f"{path}: {name} is {images.shape}, which look like signals, time first; "
                        "wanted (N, C, L)")  # fmt: skip
    if images.ndim == 3:
        return images[..., None]
    if images.ndim == 4 and images.shape[3] in (1, 3, 4):
        return images
    if images.ndim == 4 and images.shape[1] in (1, 3, 4):
        return images.transpose(0, 2, 3, 1)
    raise DataError(f"{path}: images are {images.shape}; wanted (N, H, W), (N, H, W, C) or "
                    "(N, C, H, W) with 1, 3 or 4 channels")  # fmt: skip


def _is_signal(images: np.ndarray) -> bool:
    """Whether one side is so much longer that there is nothing to see: (N, C, L)."""
    return images.shape[2] > SIGNAL * images.shape[1] > 0


def _range(path: Path, pixels: np.ndarray) -> tuple[float, float]:
    """The values of black and white."""
    if not pixels.size:
        raise DataError(f"{path} holds no image")
    low, high = float(pixels.min()), float(pixels.max())
    if not np.isfinite(low) or not np.isfinite(high):
        raise DataError(f"{path}: images hold values that are not finite")
    if low < 0:
        return low, max(high, 0.0)
    return 0.0, next((top for top in TOPS if high <= top), high)


def _is_index(labels: np.ndarray, count: int) -> bool:
    return bool(labels.dtype.kind in "ui" and labels.min() >= 0 and labels.max() < count)
