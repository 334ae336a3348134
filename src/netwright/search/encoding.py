"""Codes as vectors in which near ones are alike, for predictors."""

from __future__ import annotations

import random as rng
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from netwright.space.search_space import Space

__all__ = ["Encoding", "encoding"]

Array = NDArray[np.float64]
REFERENCE = 500
"""Codes by which features are scaled, and of a large space those that are always candidates."""


class Encoding:
    """The functions of a space as vectors, in groups of columns whose squared distances are
    comparable: what was chosen, what the space knows of the net, what it costs.

    Distances of choices count those that differ (Hamming), ordered ones by how much.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self._rows: dict[str, int] = {}
        self._table = np.zeros((0, 0))
        self.reference = _reference(space)
        raw = [self._groups(code) for code in self.reference]
        groups = [np.array(group, float) for group in zip(*raw, strict=True)]
        self._shift = [group.mean(0) for group in groups]
        spread = [group.std(0) for group in groups]
        self._scale = [np.where(s > 1e-9, 1 / np.maximum(s, 1e-9), 0.0) for s in spread]
        self._scale[0] = np.ones(groups[0].shape[1])  # one-hot numbers are comparable as they are
        scaled = [(x - m) * s for x, m, s in zip(groups, self._shift, self._scale, strict=True)]
        self._scale = [s / _typical(x) for s, x in zip(self._scale, scaled, strict=True)]
        stops = np.cumsum([0, *[len(shift) for shift in self._shift]])
        self.groups = [slice(a, b) for a, b in pairwise(stops.tolist())]
        self._table = np.zeros((1024, int(stops[-1])))

    def rows(self, codes: Sequence[str]) -> Array:
        """A vector a code, in order."""
        rows = [self._row(code) for code in codes]  # which may make the table longer
        return self._table[rows]

    def _row(self, code: str) -> int:
        key = self.space.canonical(code)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = len(self._rows)
            if row == len(self._table):
                self._table = np.concatenate([self._table, np.zeros_like(self._table)])
            groups = zip(self._groups(key), self._shift, self._scale, strict=True)
            self._table[row] = np.concatenate([(np.array(x) - m) * s for x, m, s in groups])
        return row

    def _groups(self, code: str) -> list[Sequence[float]]:
        space = self.space
        choices = Space.described(space, space.choices(space.canonical(code)))
        features = space.features(code)
        own = [] if type(space).described is Space.described else [features[:-2]]
        return [choices, *own, features[-2:]]


def _reference(space: Space) -> list[str]:
    """Codes of different functions, the same in every process."""
    random = rng.Random(space.name)  # noqa: S311
    if space.functions is not None:
        codes = list(space.functions.values())
        return random.sample(codes, min(REFERENCE, len(codes)))
    drawn = [space.preferred(space.sample(random)) for _ in range(REFERENCE)]
    return list({space.canonical(code): code for code in drawn}.values())


def _typical(x: Array) -> float:
    """The median distance of two different rows; 1 where there is none."""
    some = x[:200]
    square = ((some[:, None] - some[None]) ** 2).sum(2)
    apart = square[square > 1e-12]
    return float(np.sqrt(np.median(apart))) if len(apart) else 1.0


@lru_cache(maxsize=8)
def encoding(space: Space) -> Encoding:
    """The encoding of a space, kept."""
    return Encoding(space)
