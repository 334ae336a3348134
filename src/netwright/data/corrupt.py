"""Photos as they come out badly: noise, blur, weather and compression at three strengths."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

__all__ = ["CHANGES", "CORRUPTIONS", "STRENGTHS", "corrupted"]

STRENGTHS = (1, 2, 3)


def corrupted(pixels: np.ndarray, name: str, strength: int, seed: int = 0) -> np.ndarray:
    """One image, uint8 (H, W, C), after one of `CHANGES` at a strength of 1 to 3 (corruptions:
    Hendrycks & Dietterich 2019, arXiv:1903.12261, in short).

    >>> corrupted(np.zeros((4, 4, 3), np.uint8), "brightness", 1).shape
    (4, 4, 3)
    """
    grey = pixels.shape[-1] == 1
    image = Image.fromarray(pixels[..., 0] if grey else pixels)
    changed = CHANGES[name](image, strength, np.random.default_rng(seed))
    return np.asarray(changed, np.uint8).reshape(pixels.shape)


Corruption = Callable[[Image.Image, int, np.random.Generator], Image.Image]


def _noise(image: Image.Image, strength: int, generator: np.random.Generator) -> Image.Image:
    values = np.asarray(image, np.float32)
    moved = values + generator.normal(0, 255 * (0.04, 0.08, 0.16)[strength - 1], values.shape)
    return Image.fromarray(moved.round().clip(0, 255).astype(np.uint8))


def _specks(image: Image.Image, strength: int, generator: np.random.Generator) -> Image.Image:
    values = np.array(image)
    drawn = generator.random(values.shape[:2])
    share = (0.01, 0.03, 0.08)[strength - 1]
    values[drawn < share / 2] = 0
    values[drawn > 1 - share / 2] = 255
    return Image.fromarray(values)


def _blur(image: Image.Image, strength: int, generator: np.random.Generator) -> Image.Image:
    side = min(image.size)
    return image.filter(ImageFilter.GaussianBlur(side * (0.005, 0.01, 0.02)[strength - 1]))


def _pixels(image: Image.Image, strength: int, generator: np.random.Generator) -> Image.Image:
    part = (0.6, 0.4, 0.25)[strength - 1]
    small = image.resize([max(1, round(part * side)) for side in image.size], Image.Resampling.BOX)
    return small.resize(image.size, Image.Resampling.BOX)


def _jpeg(image: Image.Image, strength: int, generator: np.random.Generator) -> Image.Image:
    page = io.BytesIO()
    image.save(page, "JPEG", quality=(25, 12, 6)[strength - 1])
    return Image.open(page).convert(image.mode)


def _contrast(image: Image.Image, strength: int, generator: np.random.Generator) -> Image.Image:
    return ImageEnhance.Contrast(image).enhance((0.5, 0.3, 0.15)[strength - 1])


def _brightness(image: Image.Image, strength: int, generator: np.random.Generator) -> Image.Image:
    values = np.asarray(image, np.int64) + (30, 60, 100)[strength - 1]
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def _turned(image: Image.Image, strength: int, generator: np.random.Generator) -> Image.Image:
    angle = (5, 12, 25)[strength - 1] * (1 if generator.random() < 0.5 else -1)
    return image.rotate(angle, Image.Resampling.BILINEAR)


def _outlines(image: Image.Image, strength: int, generator: np.random.Generator) -> Image.Image:
    """Fine patterns go, edges stay: medians over a neighbourhood, several times."""
    side = 2 * max(1, round(min(image.size) * (0.01, 0.02, 0.035)[strength - 1])) + 1
    for _ in range(2):
        image = image.filter(ImageFilter.MedianFilter(min(side, 15)))
    return image


def _shuffled(image: Image.Image, strength: int, generator: np.random.Generator) -> Image.Image:
    """Tiles in another order: patterns stay, outlines go."""
    count = (2, 4, 8)[strength - 1]
    values = np.array(image)
    height, width = values.shape[:2]
    h, w = max(1, height // count), max(1, width // count)
    corners = [(y, x) for y in range(0, height - h + 1, h) for x in range(0, width - w + 1, w)]
    tiles = [values[y : y + h, x : x + w].copy() for y, x in corners]
    for (y, x), place in zip(corners, generator.permutation(len(tiles)), strict=True):
        values[y : y + h, x : x + w] = tiles[place]
    return Image.fromarray(values)


CORRUPTIONS: dict[str, Corruption] = {
    "noise": _noise,
    "specks": _specks,
    "blur": _blur,
    "pixels": _pixels,
    "jpeg": _jpeg,
    "contrast": _contrast,
    "brightness": _brightness,
    "turned": _turned,
}
"""Every corruption by its name."""

CHANGES: dict[str, Corruption] = {**CORRUPTIONS, "texture": _outlines, "shape": _shuffled}
"""Corruptions, and what tells whether a net goes by texture or by shape."""
