"""Of how many images the features of trained nets are computed, so that time is left to learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import NamedTuple

import numpy as np

from netwright.data.dataset import Dataset
from netwright.train.backbones import Backbone
from netwright.train.batches import Images
from netwright.train.features import layers, seconds_each

__all__ = ["Sample", "affordable", "measured", "sampled"]

TIMED = 96
"""Images whose features are computed to know how long one takes."""
MIRRORED, PLAIN = 0.25, 0.5
"""Shares of the time for features with mirror images, and for those without: where the latter take
more than that, there is no time for fine-tuning anyway: three epochs, forward and backward."""
LEAST, MOST = 300, 20_000
"""So many images are looked at however little time there is, and however much: features of all
layers are kept in memory, 1,432 numbers of an image and as many of its mirror image, 11 kB, for
EfficientNet-Lite0."""


class Sample(NamedTuple):
    """How many images of training and validation, and whether their mirror images as well."""

    images: int
    mirrored: bool


def affordable(images: int, room: float) -> Sample:
    """All images with their mirror images, all without, or a part: what is a quarter of the time,
    else at most half of it, where all the time is enough for the features of `room` images. Never
    more than memory should hold.

    >>> affordable(1000, 9000), affordable(1000, 3000)
    (Sample(images=1000, mirrored=True), Sample(images=1000, mirrored=False))
    >>> affordable(1000, 1500)
    Sample(images=750, mirrored=False)
    >>> affordable(10**6, float("inf"))
    Sample(images=20000, mirrored=True)
    """
    images = min(images, MOST)
    if MIRRORED * room >= 2 * images:
        return Sample(images, True)
    return Sample(min(images, max(LEAST, int(PLAIN * room))), mirrored=False)


def measured(
    backbone: Backbone, dataset: Dataset, images: Callable[..., Images], precision: str
) -> float:
    """Seconds that the features of one image take, decoding included."""
    few = np.sort(np.random.default_rng(0).permutation(dataset.indices("train", "val"))[:TIMED])
    begun = monotonic()
    source = images(few, backbone.preprocessing)  # what memory holds is decoded here
    decoding = (monotonic() - begun) / len(few)
    net = backbone.net
    return decoding + seconds_each(backbone.module(), net, source, layers(net), precision)


def sampled(dataset: Dataset, count: int, seed: int) -> Dataset:
    """The same images with about `count` in training and validation, drawn at random, every class
    in each by its share and never without an image.
    """
    whole, random = dataset.size("train", "val"), np.random.default_rng(seed)
    if count >= whole:
        return dataset
    splits = dict(dataset.splits)
    for part in ("train", "val"):
        own = random.permutation(splits[part])
        labels, kept = dataset.labels[own], list[np.ndarray]()
        for label in np.unique(labels):
            same = own[labels == label]
            kept.append(same[: max(2, round(len(same) * count / whole))])
        splits[part] = np.sort(np.concatenate(kept))
    return replace(dataset, splits=splits)
