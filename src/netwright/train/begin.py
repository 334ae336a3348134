"""An approach before its first step: its images, and the weights of a net from nothing."""

from __future__ import annotations

import numpy as np
from torch import nn

from netwright.data.dataset import Dataset
from netwright.data.image import Preprocessing
from netwright.train.approach import Approach
from netwright.train.batches import Images, seed_of
from netwright.train.learner import device
from netwright.train.whitening import PATCHES, pass_on, whiten

__all__ = ["images_of", "part_of", "random_model"]


def images_of(dataset: Dataset, indices: np.ndarray, preprocessing: Preprocessing) -> Images:
    """Images with their labels, as a net wants them."""
    place = device()
    source = dataset.sequence(indices, preprocessing, place)
    labels, weights = dataset.labels[indices], dataset.weights(indices)
    return Images(source, labels, len(dataset.classes), preprocessing, place, weights)


def part_of(dataset: Dataset, part: str, preprocessing: Preprocessing) -> Images:
    """The images of one split."""
    return images_of(dataset, dataset.indices(part), preprocessing)


def random_model(approach: Approach, images: Images) -> nn.Module:
    """The net of an approach that starts from nothing, before its first step on these images."""
    model = approach.net.build(seed=seed_of(approach.seed, approach.name, "init"), device=device())
    if approach.recipe.whiten:
        whiten(model, next(images.inorder(PATCHES)))
        pass_on(model)
    return model
