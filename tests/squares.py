"""Small coloured squares to learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"blue": (40, 40, 220), "green": (40, 200, 40), "red": (220, 40, 40)}
TINY = "params<=5k, macs<=300k"


def square(
    colour: tuple[int, int, int], generator: np.random.Generator, side: int = 12
) -> np.ndarray:
    """A coloured square somewhere on a dark, noisy ground."""
    image = generator.integers(0, 60, (side, side, 3)).astype(np.uint8)
    top, left = generator.integers(0, side // 2, 2)
    image[top : top + side // 2, left : left + side // 2] = colour
    return image


def write_squares(folder: Path, count: int = 14, seed: int = 0) -> Path:
    """A folder a colour, `count` images in each."""
    generator = np.random.default_rng(seed)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(square(colour, generator)).save(folder / name / f"{i:02}.png")
    return folder


def pixels(dataset) -> np.ndarray:
    """All images as a net that starts from nothing gets them, uint8 (N, size, size, channels)."""
    import torch

    kept = np.sort(np.concatenate(list(dataset.splits.values())))
    memory = dataset.sequence(kept, dataset.preprocessing(), torch.device("cpu"))
    return memory.pixels.permute(0, 2, 3, 1).numpy()
