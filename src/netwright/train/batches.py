"""Batches of images on the device: drawn, shifted, normalised there, a whole batch at once."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import numpy as np
import torch
from torch import Tensor

from netwright.data.image import Preprocessing
from netwright.train.recipe import Recipe

__all__ = ["Images", "augmented", "seed_of"]


def seed_of(*words: object) -> int:
    """A seed that depends on all words and nothing else."""
    return int.from_bytes(sha256(repr(words).encode()).digest()[:7], "big")


class Images:
    """Images (N, C, H, W) of uint8 with labels (N,); batches come out normalised."""

    def __init__(
        self,
        pixels: np.ndarray,
        labels: np.ndarray,
        preprocessing: Preprocessing,
        device: torch.device,
    ) -> None:
        self.pixels = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous().to(device)
        self.labels = torch.from_numpy(labels.astype(np.int64)).to(device)
        self.mean = torch.tensor(preprocessing.mean, device=device).view(1, -1, 1, 1)
        self.std = torch.tensor(preprocessing.std, device=device).view(1, -1, 1, 1)

    def __len__(self) -> int:
        return len(self.labels)

    def normalised(self, pixels: Tensor) -> Tensor:
        """(x / 255 - mean) / std, channels last."""
        x = (pixels.float() / 255 - self.mean) / self.std
        return x.contiguous(memory_format=torch.channels_last)

    def epoch(self, recipe: Recipe, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Every image once in an order, and moved in a way, that depend on the seed alone."""
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self), generator=generator)
        for step in range(recipe.steps(len(self))):
            chosen = order[step * recipe.batch : (step + 1) * recipe.batch].to(self.labels.device)
            pixels = augmented(self.pixels[chosen], recipe, generator)
            yield self.normalised(pixels), self.labels[chosen]

    def inorder(self, batch: int = 256) -> Iterator[Tensor]:
        """All images as they are."""
        for pixels in self.pixels.split(batch):
            yield self.normalised(pixels)


def augmented(pixels: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Every image shifted by its own whole pixels, its border mirrored; half of them flipped
    if the recipe says so. One gather does all of it.
    """
    count, channels, height, width = pixels.shape
    moves = torch.randint(-recipe.shift, recipe.shift + 1, (2, count, 1), generator=generator)
    rows = _mirrored(torch.arange(height) + moves[0], height)
    columns = _mirrored(torch.arange(width) + moves[1], width)
    if recipe.flip:
        flips = torch.rand(count, 1, generator=generator) < 0.5
        columns = torch.where(flips, columns.flip(1), columns)
    place = pixels.device
    return pixels[
        torch.arange(count, device=place)[:, None, None, None],
        torch.arange(channels, device=place)[None, :, None, None],
        rows.to(place)[:, None, :, None],
        columns.to(place)[:, None, None, :],
    ]


def _mirrored(index: Tensor, size: int) -> Tensor:
    """Positions outside 0..size-1 mirrored at the first and the last."""
    index = index.abs()
    return torch.where(index >= size, 2 * (size - 1) - index, index).clamp(0, size - 1)
