"""What the images went through that weights were trained on, as their libraries say it."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Any

from netwright.core.shape import Shape
from netwright.data.image import Preprocessing

__all__ = ["of_table", "of_timm", "usual"]

INPUTS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "symmetric": ((0.5,) * 3, (0.5,) * 3),
    "tensorflow": ((127 / 255,) * 3, (128 / 255,) * 3),
}
"""What tables call mean and std; the last is of EfficientNet-Lite's authors."""


def of_table(facts: Mapping[str, str]) -> Preprocessing:
    """A row of torchvision's table or of the packages'. Torchvision's GoogLeNet and Inception-v3
    transform inputs inside the net; that is part of mean and std here.
    """
    mean, std = INPUTS[facts["inputs"]]
    return Preprocessing(
        int(facts["size"]), 3, mean, std, resize=int(facts["resize"]),
        interpolation=facts["interpolation"], crop="center",
    )  # fmt: skip


def of_timm(config: Mapping[str, Any]) -> Preprocessing:
    """What a `config.json` of timm says."""
    size = config["input_size"][-1]
    mean, std = tuple(config["mean"]), tuple(config["std"])
    return Preprocessing(
        size, len(mean), mean, std, resize=floor(size / config["crop_pct"]),
        interpolation=config["interpolation"], crop=config.get("crop_mode") or "center",
    )  # fmt: skip


def usual(shape: Shape) -> Preprocessing:
    """What images of nets for this shape go through most often: ImageNet's mean and deviation, and
    the middle of images a seventh larger.
    """
    mean, std = INPUTS["imagenet"]
    size = shape[-1]
    whole = Preprocessing(size, 3, mean, std, resize=size * 8 // 7, crop="center")
    return whole.for_channels(shape[0])
