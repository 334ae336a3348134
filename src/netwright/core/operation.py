"""What an operation is: its kind, and the window that it slides over its input."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from netwright.core.field import UNKNOWN, Taps, Window
from netwright.core.shape import show

__all__ = ["Kind", "Sliding"]


class Kind(StrEnum):
    """What sort of work an operation is; every unit says one, and there are no others.

    Tables, predictions of latency, advice and the conventions of other tools sort by it.
    """

    CONVOLUTION = "convolution"
    """Products with a window's values, the weights alike at all positions."""
    LOCAL = "local connection"
    """Products with a window's values, weights that differ from position to position."""
    DENSE = "dense"
    """Products with all values of a position or of a vector."""
    ATTENTION = "attention"
    RECURRENT = "recurrent"
    AVERAGING = "averaging"
    """Pooling by plain means."""
    POOLING = "pooling"
    """Any other pooling."""
    BATCH_NORM = "batch normalisation"
    """Normalisation by running statistics when the net runs: then a factor and a summand."""
    NORMALISATION = "normalisation"
    """Normalisation by statistics of what comes in."""
    RECTIFIER = "rectifier"
    """An activation of straight pieces: one comparison an element."""
    ACTIVATION = "activation"
    """Any other activation: a curve, or several operations an element."""
    ELEMENTWISE = "element-wise"
    """Sums and products of values at one place."""
    REARRANGEMENT = "rearrangement"
    """Values that are moved, left out or put side by side: nothing is computed."""
    RESAMPLING = "resampling"
    REGULARISATION = "regularisation"
    """Noise in training."""
    OTHER = "other"


class Sliding(NamedTuple):
    """A window that slides over a map: kernel, stride, (before, after) padding and dilation, each
    a number an axis; and the groups that channels are cut into.

    >>> str(Sliding((7, 7), (2, 2), ((3, 3), (3, 3)), (1, 1)))
    '7x7 s2 p3'
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    groups: int = 1

    @property
    def taps(self) -> Window:
        """The inputs that an output sees."""
        return _taps(self.kernel, self.stride, self.padding, self.dilation)

    def __str__(self) -> str:
        words = [show(self.kernel)]
        before = tuple(str(a) if a == b else f"{a}:{b}" for a, b in self.padding)
        for letter, sizes in (("s", self.stride), ("p", before), ("d", self.dilation)):
            if set(sizes) != {0 if letter == "p" else 1} and set(sizes) != {"0"}:
                words.append(letter + (str(sizes[0]) if len(set(sizes)) == 1 else show(sizes)))
        if self.groups != 1:
            words.append(f"g{self.groups}")
        return " ".join(words)


@lru_cache(maxsize=1024)
def _taps(
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
) -> Window:
    sizes = (*kernel, *stride, *dilation, *[before for before, _ in padding])
    if not all(isinstance(n, int) for n in sizes):
        return UNKNOWN
    return tuple(
        Taps(((-before, n),), step, hop)
        for n, hop, (before, _), step in zip(kernel, stride, padding, dilation, strict=True)
    )
