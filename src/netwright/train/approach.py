"""One way to a trained net: which net, from which weights, by which recipe."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from typing import Any

from netwright.core.net import Net
from netwright.data.image import Preprocessing
from netwright.data.signals import preprocessing_of
from netwright.errors import RunError
from netwright.nets.catalogue import from_json
from netwright.train.features import LATE
from netwright.train.recipe import RECIPES, Recipe

__all__ = ["METHODS", "Approach"]

RESNET = RECIPES["resnet"]
METHODS = ("scratch", "probe", "head", "stages", "full", "boosted")


@dataclass(frozen=True)
class Approach:
    """Everything that one result follows from, beside the images.

    Arguments:
        name: also that of its checkpoint.
        method: `scratch`: everything learns, from random weights; `probe`: a linear model on
            frozen features; `head`: only the head learns, by gradient; `stages`: the head, then
            one part after the other from the end; `full`: all parts, the earlier the slower;
            `boosted`: the same with channels of an auxiliary learner beside the image.
        net: the net, with the classes of the images.
        preprocessing: what images go through before it.
        recipe: how it is trained.
        epochs: how long; 0 for a probe.
        weights: where its first weights come from; empty for `scratch`.
        backbone: the net that those weights are of.
        layer: the layer that a probe sees.
        strength: the inverse of a probe's regularisation.
        linear: what a probe is, `logistic` regression or an `svm`.
        heat: what a probe's logits are divided by to be calibrated.
        precision: `fp32` or `bf16`.
        seed: of everything random.
    """

    name: str
    method: str
    net: Net
    preprocessing: Preprocessing
    recipe: Recipe = RESNET
    epochs: int = 0
    weights: str = ""
    backbone: Net | None = None
    layer: str = LATE
    strength: float = 0.01
    linear: str = "logistic"
    heat: float = 1.0
    precision: str = "fp32"
    seed: int = 0

    def belongs(self, fingerprint: str) -> str:
        """What a checkpoint must carry to be of this approach on these images."""
        record = {**self.to_json(), "net": self.net.hash, "images": fingerprint}
        return sha256(repr(sorted(record.items())).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """As JSON's own types."""
        record = {word.name: getattr(self, word.name) for word in fields(self)}
        record.update(
            net=self.net.to_json(),
            recipe=self.recipe.to_json(),
            preprocessing=asdict(self.preprocessing),
            backbone=self.backbone.to_json() if self.backbone else None,
        )
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Approach:
        """The inverse of `to_json`; `RunError` for what is none."""
        try:
            values = dict(record)
            values["net"] = from_json(values["net"])
            values["backbone"] = from_json(values["backbone"]) if values["backbone"] else None
            values["recipe"] = Recipe.from_json(values["recipe"])
            values["preprocessing"] = preprocessing_of(values["preprocessing"])
            return cls(**values)
        except (KeyError, TypeError) as error:
            raise RunError(f"the run has no readable approach ({error}); begin a new run") from None
