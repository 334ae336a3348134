"""Training, validation and test: every class in all three, none in two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netwright.data.listing import SPLITS
from netwright.errors import DataError

__all__ = ["TEST", "VAL", "assigned", "split"]

TEST, VAL = 0.2, 0.2
"""Share of the images for the test, and of the rest for validation, where none is given."""
MOST = {"test": 5000, "val": 2500}
"""Images that a split is cut to at most: accuracies are then known within 1.4 and 2 points, and
what is left is more to learn from."""


def split(
    labels: np.ndarray, given: Sequence[str], classes: Sequence[str], seed: int
) -> dict[str, np.ndarray]:
    """Indices of each split, sorted.

    What `given` assigns stays; a missing `val` or `test` is taken from the rest, class by
    class, at least one image each, about 5,000 and 2,500 at most. Raises `DataError` when a class
    has too few.
    """
    parts = assigned(given, "train")
    missing = [part for part in ("test", "val") if not len(parts[part])]
    _check_present(labels, parts, classes)
    _check(labels[parts["train"]], classes, missing)
    generator = np.random.RandomState(seed)
    for part in missing:
        share = TEST if part == "test" else VAL
        share = min(share, MOST[part] / max(1, len(parts["train"])))
        parts["train"], parts[part] = _cut(labels, parts["train"], share, generator)
    return parts


def assigned(given: Sequence[str], rest: str) -> dict[str, np.ndarray]:
    """Indices of each split as `given` says, of the `rest` where it says nothing."""
    where = np.array([part or rest for part in given])
    return {part: np.flatnonzero(where == part) for part in SPLITS}


def _check_present(
    labels: np.ndarray, parts: dict[str, np.ndarray], classes: Sequence[str]
) -> None:
    """Refuses a class whose images are all to validate or to test."""
    counts = {part: np.bincount(labels[own], minlength=len(classes)) for part, own in parts.items()}
    for i, name in enumerate(classes):
        others = [part for part in ("val", "test") if counts[part][i]]
        if others and not counts["train"][i]:
            raise DataError(f"class {name!r} has images in {' and '.join(others)}, but none to "
                            "train on; add some to train, or leave the class out")  # fmt: skip


def _check(labels: np.ndarray, classes: Sequence[str], missing: list[str]) -> None:
    counts = np.bincount(labels, minlength=len(classes))
    if len(classes) < 2:
        raise DataError(f"there is one class only, {classes[0]!r}; wanted at least two, "
                        "one folder each")  # fmt: skip
    smallest, least = int(counts.argmin()), 1 + len(missing)
    if counts[smallest] < least:
        jobs = {"test": " and one to test", "val": " and one to validate"}
        raise DataError(
            f"class {classes[smallest]!r} has {counts[smallest]} readable image(s) to train on, "
            f"wanted at least {least}: one to learn from{''.join(jobs[part] for part in missing)}; "
            "add images or leave the class out"
        )


def _cut(
    labels: np.ndarray, indices: np.ndarray, share: float, generator: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """`indices` in two, `share` of every class in the second."""
    kept, taken = list[np.ndarray](), list[np.ndarray]()
    for label in np.unique(labels[indices]):
        own = indices[labels[indices] == label]
        count = max(1, round(share * len(own)))
        order = generator.permutation(len(own))  # the images that train_test_split would take
        taken.append(own[order[:count]])
        kept.append(own[order[count:]])
    return np.sort(np.concatenate(kept)), np.sort(np.concatenate(taken))
