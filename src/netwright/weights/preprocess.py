"""What the images went through that weights were trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import floor, isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from netwright.data.image import upright
from netwright.data.reading import opened
from netwright.errors import WeightsError

__all__ = ["Preprocess"]

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SYMMETRIC = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
LARGEST = 4096
"""Pixels of a side that an image is brought to at most."""
CROPS = ("center", "squash", "square")


@dataclass(frozen=True)
class Preprocess:
    """An image as a tensor, as the weights expect it: (channels, H, W).

    `crop` is `center`: the shorter side becomes `resize`, then the middle is cut out; `squash`:
    both sides become `resize`; `square`: the largest centred square becomes `size`. Values
    from 0 to 1 are then (x - mean) / std, a channel each.

    >>> Preprocess(224, 256)(Image.new("L", (640, 480))).shape
    torch.Size([3, 224, 224])
    """

    size: int
    resize: int
    mean: tuple[float, ...] = IMAGENET[0]
    std: tuple[float, ...] = IMAGENET[1]
    interpolation: str = "bilinear"
    crop: str = "center"

    def __post_init__(self) -> None:
        for name in ("size", "resize"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= LARGEST:
                raise WeightsError(f"{name} is {value!r}, wanted 1 to {LARGEST} pixels")
        numbers = [*self.mean, *self.std]
        if not all(isinstance(value, int | float) and isfinite(value) for value in numbers) or not (
            0 < len(self.mean) == len(self.std) and all(value > 0 for value in self.std)
        ):
            raise WeightsError(f"mean is {self.mean}, std {self.std}; wanted as many numbers each, "
                               "those of std above 0")  # fmt: skip
        kinds = [kind.name.lower() for kind in Image.Resampling]
        if self.interpolation not in kinds:
            raise WeightsError(f"interpolation is {self.interpolation!r}, "
                               f"wanted one of {', '.join(kinds)}")  # fmt: skip
        if self.crop not in CROPS:
            raise WeightsError(f"crop is {self.crop!r}, wanted one of {', '.join(CROPS)}")

    def __call__(self, image: Image.Image | str | Path) -> Tensor:
        """The tensor of a Pillow image or of a file; `DataError` for what cannot be read."""
        if isinstance(image, str | Path):
            with opened(image) as read:
                return self(read)
        channels = len(self.mean)
        if channels not in (1, 3):
            raise WeightsError(f"an image has 1 or 3 channels, the weights take {channels}; "
                               "make the tensor yourself")  # fmt: skip
        fitted = self._fitted(upright(image, channels))
        pixels = torch.from_numpy(np.array(fitted, dtype=np.float32) / 255)
        pixels = pixels.reshape(self.size, self.size, -1).permute(2, 0, 1)
        mean, std = (torch.tensor(row).view(-1, 1, 1) for row in (self.mean, self.std))
        return ((pixels - mean) / std).contiguous()

    def _fitted(self, image: Image.Image) -> Image.Image:
        how = Image.Resampling[self.interpolation.upper()]
        square = (self.size, self.size)
        if self.crop == "square":
            return image if image.size == square else ImageOps.fit(image, square, how)
        short = min(image.size)
        width, height = (
            self.resize if self.crop == "squash" else self.resize * side // short
            for side in image.size
        )
        image = image.resize((width, height), how)
        left, top = round((width - self.size) / 2), round((height - self.size) / 2)
        return image.crop((left, top, left + self.size, top + self.size))

    def for_channels(self, count: int) -> Preprocess:
        """The same for grey images, by the means over the channels, or for more channels, whose
        values come round again.
        """
        if count == len(self.mean):
            return self
        if count == 1:
            means = [(sum(row) / len(row),) for row in (self.mean, self.std)]
        else:
            means = [tuple(row[i % len(row)] for i in range(count))
                     for row in (self.mean, self.std)]  # fmt: skip
        return replace(self, mean=means[0], std=means[1])

    @classmethod
    def of_torchvision(cls, facts: Mapping[str, str]) -> Preprocess:
        """A row of torchvision's table. GoogLeNet and Inception-v3 there transform inputs
        inside the net; that is part of mean and std here.
        """
        mean, std = SYMMETRIC if facts["inputs"] == "symmetric" else IMAGENET
        return cls(int(facts["size"]), int(facts["resize"]), mean, std, facts["interpolation"])

    @classmethod
    def of_timm(cls, config: Mapping[str, Any]) -> Preprocess:
        """What a `config.json` of timm says."""
        size = config["input_size"][-1]
        return cls(
            size,
            floor(size / config["crop_pct"]),
            tuple(config["mean"]),
            tuple(config["std"]),
            config["interpolation"],
            config.get("crop_mode") or "center",
        )

    @classmethod
    def of_run(cls, record: Mapping[str, Any]) -> Preprocess:
        """What a run folder says."""
        size = record["size"]
        return cls(size, size, tuple(record["mean"]), tuple(record["std"]), crop="square")
