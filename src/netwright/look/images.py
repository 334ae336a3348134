"""Images that looks pass over: whatever `fit` takes, or a list; one after the other, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
import torch
from torch import Tensor

from netwright.data.dataset import Dataset, load
from netwright.data.hub import is_table
from netwright.data.listing import SPLITS
from netwright.data.reading import is_image
from netwright.errors import LookError
from netwright.look.picture import Picture, Subject

__all__ = ["Batch", "Images", "batches", "images_of"]


class Images(Sequence[Any]):
    """Images by index, each with its label where there is one; `classes` names the labels."""

    def __init__(
        self, item: Callable[[int], tuple[Any, Any]], count: int,
        classes: tuple[str, ...] | None = None,
    ) -> None:  # fmt: skip
        self.item, self._length, self.classes = item, count, classes

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> Images: ...

    def __getitem__(self, index: int | slice) -> Any:
        """An image without its label; some of them for a slice."""
        if isinstance(index, slice):
            return self.at(range(self._length)[index])
        if not 0 <= index < self._length:
            raise IndexError(index)
        return self.item(index)[0]

    def at(self, indices: Sequence[int] | np.ndarray) -> Images:
        """Those at these indices, in that order."""
        return Images(lambda i: self.item(int(indices[i])), len(indices), self.classes)

    def number(self, looked: Subject, label: Any) -> int:
        """The class of a label, as the model counts where it names its classes; -1 for none."""
        if label is None:
            return -1
        name = label if isinstance(label, str) else None
        if name is None and self.classes is not None:
            name = self.classes[int(label)]
        if name is None:
            return int(label)
        names = looked.classes or self.classes
        if names is None or name not in names:
            wanted = ", ".join(names[:8]) if names else "the index of a class"
            raise LookError(f"there is a label {name!r}, which the model does not name; wanted "
                            f"{wanted}")  # fmt: skip
        return names.index(name)


def images_of(data: Any) -> Images:
    """The images of whatever `fit` takes, of a folder without classes, of a `Dataset`; or of
    anything with an index and a length, whose items are images or (image, label).
    """
    if isinstance(data, Images):
        return data
    if isinstance(data, str | Path):
        path = Path(data)
        if path.is_file() and is_image(path, path.parent):
            return _listed([path])
        inside = [*path.iterdir()] if path.is_dir() else []
        loose = sorted(p for p in inside if is_image(p, path))
        data = load(path, learn=False) if not loose or any(p.is_dir() for p in inside) else loose
    if is_table(data):
        data = load(data, learn=False)
    if isinstance(data, Dataset):
        if data.signals:
            raise LookError(f"looking inside takes images; these are {data.size_words}")
        kept, reader = data.indices(*SPLITS), data.listing.reader
        return Images(lambda i: (reader.file(int(kept[i])), int(data.labels[kept[i]])),
                      len(kept), data.classes)  # fmt: skip
    if not hasattr(data, "__getitem__") or not hasattr(data, "__len__"):
        raise LookError("images are a folder, an .npz, or something with an index and a length; "
                        f"make a list of this {type(data).__name__}")  # fmt: skip
    return _listed(data)


def _listed(items: Any) -> Images:
    def item(i: int) -> tuple[Any, Any]:
        value = items[i]
        if not isinstance(value, tuple) or isinstance(value, Picture):
            return value, None
        return value[0], value[1] if len(value) > 1 else None

    return Images(item, len(items))


class Batch(NamedTuple):
    """Some images: the index of the first, (N, C, H, W) as the model takes them, and their classes
    (N,), -1 where no label says.
    """

    start: int
    x: Tensor
    labels: np.ndarray


def size_of(batch: Batch) -> int:
    """How many images it has."""
    return len(batch.x)


def batches(looked: Subject, images: Images, size: int) -> Iterator[Batch]:
    """All images in their order, `size` at a time."""
    if not len(images) or size < 1:
        raise LookError(f"{len(images)} images, batch {size}; wanted at least 1 each")
    shape = None
    for start in range(0, len(images), size):
        chosen = range(start, min(start + size, len(images)))
        xs, labels = list[Tensor](), list[int]()
        for i in chosen:
            image, label = images.item(i)
            x = looked.picture(image).x
            shape = shape or x.shape
            if x.shape != shape:
                raise LookError(f"image {i} is {tuple(x.shape[1:])}, the first {tuple(shape[1:])}; "
                                "give a preprocessing, or images of one size")  # fmt: skip
            xs.append(x)
            labels.append(images.number(looked, label))
        yield Batch(start, torch.cat(xs), np.array(labels))
