"""Cross-validation of whole nets, where validation has few images.

The accuracy on 24 images is known to a tenth at best, so the best of several nets on them is best
by chance. Each of some folds of training and validation is left out in turn instead and a net is
trained on the rest: as many figures as there are images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold

from netwright.data.dataset import Dataset
from netwright.train.approach import Approach
from netwright.train.batches import Images
from netwright.train.outcome import DIVERGED, Outcome

__all__ = ["Fold", "averaged", "enough_folds", "folded", "folds"]

FEW, MANY = 100, 2000
"""With fewer images in validation, and fewer in training, nets are cross-validated."""
FOLDS = 3


@dataclass(frozen=True)
class Fold:
    """Images to learn from and images left out; `places` of the first among those of training and
    validation, None where they are the training images.
    """

    train: Images
    val: Images
    places: np.ndarray | None = None


def enough_folds(dataset: Dataset) -> int:
    """How often a net is trained to know how good it is: 1 where validation tells."""
    few = dataset.size("val") < FEW and dataset.size("train") < MANY
    rarest = np.bincount(dataset.labels[dataset.indices("train", "val")]).min()
    return FOLDS if few and rarest >= FOLDS else 1


def folds(labels: np.ndarray, seed: int, most: int) -> Iterator[tuple[Any, Any]]:
    """Places to learn from and places left out, with every class in each fold; as many folds as
    the rarest class allows, at least 2.
    """
    rarest = int(np.bincount(labels)[np.unique(labels)].min())
    split = StratifiedKFold(max(2, min(most, rarest)), shuffle=True, random_state=seed)
    return split.split(np.zeros(len(labels)), labels)


def folded(images: Images, seed: int, count: int) -> list[Fold]:
    """The folds of images, their pixels shared."""
    labels = images.labels.cpu().numpy()
    return [Fold(images.part(learn), images.part(left), learn)
            for learn, left in folds(labels, seed, count)]  # fmt: skip


def averaged(approach: Approach, outcomes: Sequence[Outcome], images: Sequence[int]) -> Outcome:
    """What folds say of an approach: epoch by epoch the means of their figures over the `images`
    that each left out. Its model is that of the first fold.
    """
    total = sum(images)
    rows = list[dict[str, Any]]()
    for same in zip(*(outcome.history for outcome in outcomes), strict=False):
        row = {"trial": approach.name, "epoch": same[0]["epoch"]}
        for word in ("train_loss", "val_loss", "val_accuracy"):
            mean = sum(own[word] * n for own, n in zip(same, images, strict=True)) / total
            diverged = word != "val_accuracy" and any(own[word] == DIVERGED for own in same)
            row[word] = DIVERGED if diverged else mean
        rows.append(row)
    return replace(outcomes[0], approach=approach, history=rows, folds=len(outcomes))
