"""A data set in batches, as a model takes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from netwright.errors import LookError
from netwright.look.picture import Subject
from netwright.look.watch import Watch, mixes

__all__ = ["batches", "check_images", "image_at"]


def check_images(images: Any) -> None:
    """Refuses what has no index and length, or is empty."""
    if not hasattr(images, "__getitem__") or not hasattr(images, "__len__"):
        raise LookError("images are wanted more than once, so they need an index and a length; "
                        "make a list of them")  # fmt: skip
    if len(images) == 0:
        raise LookError("0 images; wanted at least 1")


def image_at(images: Sequence[Any], index: int) -> Any:
    """An item, without its label if it has one."""
    item = images[index]
    return item[0] if isinstance(item, tuple) else item


def batches(
    looked: Subject, watch: Watch, images: Sequence[Any], batch: int
) -> Iterator[tuple[int, Tensor]]:
    """The index of the first, and the images (N, C, H, W), of one batch after another; one at a
    time where what the watched layers give depends on the others of a batch.
    """
    first = looked.picture(image_at(images, 0)).x
    batch = 1 if mixes(lambda x: _outputs(watch, x), first) else batch
    for start in range(0, len(images), batch):
        rows = range(start, min(start + batch, len(images)))
        parts = [looked.picture(image_at(images, i)).x for i in rows]
        for i, x in zip(rows, parts, strict=True):
            if x.shape != first.shape:
                raise LookError(
                    f"image {i} is {tuple(x.shape[1:])}, the first {tuple(first.shape[1:])}; "
                    "give a preprocessing, or images of one size"
                )
        yield start, torch.cat(parts)


def _outputs(watch: Watch, x: Tensor) -> Tensor:
    """What the layers give, side by side (N, ...)."""
    watch.reach(x)
    return torch.cat([output.flatten(1) for output in watch.outputs.values()], 1)
