"""Near-duplicates: the same picture in another size, quality or brightness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["correlation", "nearest", "prints"]

CLOSE, ALIKE = 10, 0.98
"""Bits by which the prints of near-duplicates differ at most, and their least correlation. Of 100
photos no two differ by less than 15 bits or correlate by more than 0.79; copies at a half or a
third of the size, at quality 40, or brighter, pass."""
SIDE = 16
"""Side at which images are correlated."""
ROWS = 256
"""Images that are compared with all others at a time."""


def nearest(small: np.ndarray, some: Sequence[int], others: Sequence[int]) -> dict[int, int]:
    """For each of `some` images the one among `others` most like it, where one is a
    near-duplicate; images are uint8 (N, side, side, 3).
    """
    if not some or not others:
        return {}
    signs = 2 * prints(small).astype(np.float32) - 1
    shades, theirs = _standardised(small), np.array(others)
    twins = dict[int, int]()
    for first in range(0, len(some), ROWS):
        own = np.array(some[first : first + ROWS])
        like = signs[own] @ signs[theirs].T >= 64 - 2 * CLOSE
        rows, columns = (np.flatnonzero(like.any(axis)) for axis in (1, 0))
        if len(rows):
            alike = shades[own[rows]] @ shades[theirs[columns]].T
            alike[~like[np.ix_(rows, columns)]] = -1
            for row, best in enumerate(alike.argmax(1)):
                if alike[row, best] >= ALIKE:
                    twins[int(own[rows[row]])] = int(theirs[columns[best]])
    return twins


def prints(small: np.ndarray) -> np.ndarray:
    """64 bits an image: whether each of 8 x 8 parts is brighter than the next (the difference
    hash of Krawetz 2013).
    """
    grey = small.mean(3, dtype=np.float32)
    if (factor := -(-16 // grey.shape[1])) > 1:
        grey = grey.repeat(factor, 1).repeat(factor, 2)
    parts = _averaged(grey, 8, 9)
    return (parts[:, :, 1:] > parts[:, :, :-1]).reshape(len(grey), 64)


def correlation(small: np.ndarray, i: int, j: int) -> float:
    """Of the grey values of two images, a little blurred; 0 where one has none but one."""
    first, second = _standardised(small[[i, j]])
    return float(first @ second)


def _standardised(small: np.ndarray) -> np.ndarray:
    """Grey values of mean 0 and length 1, a row an image."""
    grey = small.mean(3, dtype=np.float32)
    rows = (_averaged(grey, SIDE, SIDE) if grey.shape[1] > SIDE else grey).reshape(len(grey), -1)
    rows = rows - rows.mean(1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(length > 1e-3, rows / np.maximum(length, 1e-3), 0).astype(np.float32)


def _averaged(grey: np.ndarray, height: int, width: int) -> np.ndarray:
    """(N, side, side) as the means of (height, width) parts."""
    side = grey.shape[1]
    rows, columns = (np.linspace(0, side, n + 1).astype(int)[:-1] for n in (height, width))
    sums = np.add.reduceat(np.add.reduceat(grey, rows, 1), columns, 2)
    return sums / np.outer(np.diff([*rows, side]), np.diff([*columns, side]))
