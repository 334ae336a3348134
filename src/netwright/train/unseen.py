"""Which images of a data set runs are asked about, so that they have not learnt from them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from netwright.data.dataset import Dataset, load
from netwright.data.listing import SPLITS
from netwright.errors import DataError
from netwright.train.run import Run

__all__ = ["ALL", "asked", "own_parts"]

ALL = "all"


def asked(runs: Sequence[Run], dataset: Dataset, split: str = "") -> np.ndarray:
    """The numbers of the images of a split, `all` or one of its own; where none is given, all, or
    the test part of images that the runs were fitted to.

    Raises `DataError` where the images have no such split, or none that is new to all runs.
    """
    owned = [parts for run in runs if (parts := own_parts(run, dataset)) is not None]
    said = [part for part in SPLITS if part in dataset.listing.splits]
    if split == ALL or not (split or owned):
        return dataset.indices(*SPLITS)
    if split not in ("", *(SPLITS if owned else said)):
        raise DataError(f"{dataset.source} says of no image that it is of {split!r}; "
                        f"there are: {', '.join([*said, ALL])}")  # fmt: skip
    part = split or "test"
    if not owned:
        chosen = dataset.indices(part)
        if not len(chosen):
            raise DataError(f"{dataset.source}: no image of {part!r} can be read")
        return chosen
    chosen = reduce(np.intersect1d, [parts[part] for parts in owned])
    if not len(chosen):
        raise DataError(f"{dataset.source}: no image is of {part!r} in every run, as they split "
                        "it by other seeds; give other images, or --split all")  # fmt: skip
    return chosen


def own_parts(run: Run, dataset: Dataset) -> dict[str, np.ndarray] | None:
    """The numbers of the images of each split of the run where they are those that it was fitted
    to, as their fingerprint tells; else None.
    """
    names = run.record.get("splits")
    if not isinstance(names, dict) or sum(map(len, names.values())) != dataset.size():
        return None
    settings = run.record["settings"]
    try:
        own = load(dataset.listing, seed=settings["seed"])
    except DataError:  # nothing that anybody could learn from
        return None
    return own.splits if own.fingerprint == run.record["data"]["fingerprint"] else None
