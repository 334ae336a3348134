"""Beginning with trained weights: a linear model on frozen features, then fine-tuning.

What is best depends on how many images there are and how like they are to those the weights
were trained on; instead of guessing, every step is checked on images left out. Features are
computed once. Of the layers whose features are tried, late ones win where the images are
similar, middle ones where they are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from time import monotonic

import numpy as np
import torch
from torch import nn

from netwright.core.classifier import classifiers
from netwright.data.dataset import Dataset
from netwright.train.approach import Approach
from netwright.train.backbones import Backbone, with_weights
from netwright.train.batches import Images
from netwright.train.boosting import boost
from netwright.train.checkpoint import read_checkpoint, write_checkpoint
from netwright.train.features import extract, layers, up_to
from netwright.train.folds import Fold
from netwright.train.learner import device
from netwright.train.outcome import Outcome, on_validation
from netwright.train.probe import Choice, Linear, choose, fit_linear

__all__ = ["Probe", "linear_head"]


class Probe:
    """The features of one backbone for one data set, and the linear models on them.

    Arguments:
        backbone: the trained net.
        dataset: the images.
        images: makes the `Images` of indices under a preprocessing.
        folder: where features are kept.
        mirrored: whether mirror images are learnt from as well.
        precision, seed: as of an approach.
        tell: hears which share of the features are there.
    """

    def __init__(
        self,
        backbone: Backbone,
        dataset: Dataset,
        images: Callable[..., Images],
        *,
        folder: Path,
        mirrored: bool,
        precision: str,
        seed: int,
        tell: Callable[[float], None] = lambda share: None,
    ) -> None:
        self.tell, self.seconds = tell, 0.0  # that features took, those read from a file none
        self.backbone, self.dataset, self.images = backbone, dataset, images
        self.mirrored, self.precision, self.seed = mirrored, precision, seed
        self.path = folder / f"features-{backbone.net.name}.safetensors"
        self.classes = len(dataset.classes)

    def features(self, layer: str, *parts: str) -> np.ndarray:
        """Features (views, N, channels) of a layer for the images of these splits."""
        chosen = np.isin(self.dataset.indices("train", "val"), self.dataset.indices(*parts))
        return self._all[layer][:, chosen]

    @cached_property
    def _all(self) -> dict[str, np.ndarray]:
        """Features of all layers and images, computed once and kept in a file."""
        indices = self.dataset.indices("train", "val")
        key = f"{self.dataset.fingerprint} {self.backbone} {self.precision} {self.mirrored}"
        key += f" {len(indices)}"
        if self.path.exists():
            record = read_checkpoint(self.path)
            if isinstance(record, dict) and record.get("key") == key:
                return {name: value.numpy() for name, value in record["values"].items()}
        net, names, begun = self.backbone.net, layers(self.backbone.net), monotonic()
        model = self.backbone.module()
        images = self.images(indices, self.backbone.preprocessing)
        views = [images, images.mirrored()] if self.mirrored else [images]
        pages = list[dict[str, np.ndarray]]()
        for view in views:

            def tell(done: int, before: int = len(pages)) -> None:
                self.tell((before + done / len(images)) / len(views))

            pages.append(extract(model, net, view, names, self.precision, tell))
        values = {name: np.stack([page[name] for page in pages]) for name in names}
        tensors = {name: torch.from_numpy(value) for name, value in values.items()}
        write_checkpoint(self.path, {"key": key, "values": tensors})
        self.seconds = monotonic() - begun
        return values

    def labels(self, *parts: str) -> np.ndarray:
        """Class numbers of the images of these splits."""
        return self.dataset.labels[self.dataset.indices(*parts)]

    def weights(self, *parts: str) -> np.ndarray | None:
        """What they count, where they do not count alike."""
        return self.dataset.weights(self.dataset.indices(*parts))

    def outcome(self) -> Outcome:
        """The best layer and strength by cross-validation over training and validation, with the
        figures that a model of the training images alone has on validation.
        """
        both = {name: self.features(name, "train", "val") for name in self._all}
        truth, weights = self.labels("train", "val"), self.weights("train", "val")
        best = choose(both, truth, self.classes, self.seed, weights=weights)[0]
        learnt = self.fit(best, "train")
        shares = learnt.probabilities(self.features(best.layer, "val").mean(0))
        figures = on_validation(self.labels("val"), shares)
        approach = self.approach(best)
        row = {"trial": approach.name, "epoch": 0, "layer": best.layer, "linear": best.linear,
               "strength": best.strength,
               "train_loss": best.loss, "folds_accuracy": best.accuracy, "folds_loss": best.loss,
               **figures}  # fmt: skip
        return Outcome(approach, [row], lambda: self.model(approach, "train", "val"))

    def approach(self, choice: Choice) -> Approach:
        """A choice as an approach."""
        net = up_to(self.backbone.net, choice.layer, self.classes)
        return Approach(
            f"{self.backbone.net.name}-probe", "probe", net, self.backbone.preprocessing,
            weights=self.backbone.weights, backbone=self.backbone.net, layer=choice.layer,
            strength=choice.strength, linear=choice.linear, heat=choice.heat,
            precision=self.precision, seed=self.seed,
        )  # fmt: skip

    def fit(self, choice: Choice | Approach, *parts: str) -> Linear:
        """The linear model of a layer and a strength, learnt from these splits, all views."""
        return fit_linear(
            self.features(choice.layer, *parts), self.labels(*parts), self.classes,
            choice.strength, self.weights(*parts), linear=choice.linear, heat=choice.heat,
        )  # fmt: skip

    def begin(self, approach: Approach, fold: Fold) -> nn.Module:
        """The module to fine-tune: trained weights, and for a head the linear model that the
        training images give, so that the first steps do not tear the layers before it apart
        (Kumar et al. 2022, arXiv:2202.10054).
        """
        if fold.places is None:
            linear = self.fit(approach, "train")
        else:
            weights = self.weights("train", "val")
            linear = fit_linear(
                self.features(approach.layer, "train", "val")[:, fold.places],
                self.labels("train", "val")[fold.places], self.classes, approach.strength,
                None if weights is None else weights[fold.places], linear=approach.linear,
                heat=approach.heat,
            )  # fmt: skip
        if approach.method != "boosted":
            return linear_head(approach, linear).to(device())
        plain = replace(approach, net=self.backbone.net.but(classes=self.classes))
        trained = linear_head(plain, linear).state_dict()
        return boost(approach.net, trained, fold.train).to(device())

    def model(self, approach: Approach, *parts: str) -> nn.Module:
        """The net of a probe with its linear model as the last layer."""
        return linear_head(approach, self.fit(approach, *parts))


def linear_head(approach: Approach, linear: Linear) -> nn.Module:
    """The net of an approach, its first weights those of its backbone, its last layer `linear`."""
    assert approach.backbone is not None
    trained = with_weights(approach.backbone, approach.weights).state_dict()
    model = approach.net.build(seed=0)
    path = classifiers(approach.net)[0]
    own = {key: value for key, value in trained.items() if not key.startswith(f"{path}.")}
    own = {key: own.get(key, value) for key, value in model.state_dict().items()}
    own[f"{path}.weight"] = torch.from_numpy(linear.weight).view_as(own[f"{path}.weight"])
    if f"{path}.bias" in own:
        own[f"{path}.bias"] = torch.from_numpy(linear.bias)
    model.load_state_dict(own)
    return model.eval()
