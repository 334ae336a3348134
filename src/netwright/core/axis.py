"""One axis of a receptive field: which positions of the input each position of a map sees.

An axis keeps, for one output position, the *set* of input positions it depends on: the
first of them and a bit mask of the rest. Sliding a window ORs shifted masks together, so
overlaps, strides and the holes of dilation come out right without cases. After up-sampling
the set depends on the phase of the position, so an axis holds one set for each phase of its
period; `jump` input positions pass by for every `period` of its own.

A map of n positions has at most n sets. Where a period would be longer than the map, as after
resizing 13 positions to 7 and back, the axis is `finite`: it holds the set of each position.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import gcd, lcm
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from fractions import Fraction

__all__ = ["POINT", "UNKNOWN", "WHOLE", "Axis", "Taps", "Window", "resampling"]


class Taps(NamedTuple):
    """How one axis of a unit reads its input.

    Output `q * up + phase` reads inputs `q * down + first + step * m` for `m < count`,
    where `(first, count) = reach[phase]` and `up = len(reach)`. A convolution has one
    phase: `Taps(((-pad, kernel),), dilation, stride)`. With `down` 0 the phases are all outputs
    there are, such as those of a sum over all positions before; a single one stands for any
    number of alike outputs.
    """

    reach: tuple[tuple[int, int], ...] = ((0, 1),)
    step: int = 1
    down: int = 1


Window: TypeAlias = tuple[Taps, ...] | None
POINT: Window = ()
"""Every position sees itself."""
WHOLE: Window = None
"""Every position sees the whole input."""
UNKNOWN: Window = (Taps(()),)
"""Nobody can say: the window's size is a symbol."""


def resampling(size: int, into: int) -> Taps:
    """Taps of adaptive pooling from `size` positions `into` fewer or more.

    >>> resampling(13, 7).reach[1]
    (1, 3)
    """
    shared = gcd(size, into)
    down, up = size // shared, into // shared
    bounds = [(i * down // up, -(-(i + 1) * down // up)) for i in range(up)]
    return Taps(tuple((first, last - first) for first, last in bounds), 1, down)


class Axis(NamedTuple):
    """One axis of a receptive field.

    `sets[phase]` is (first position, mask of positions from there), for unit `phase`; unit
    `phase + period` sees the same set `jump` positions further on. Of a `finite` axis they are
    the sets of all units there are, and what is beside them, padding, sees nothing. `least` is
    the size along the path that sees least.
    """

    jump: int | Fraction = 1
    sets: tuple[tuple[int, int], ...] = ((0, 1),)
    least: int = 1
    finite: bool = False

    @property
    def size(self) -> int:
        """From the first to the last position seen, of the phase that sees most."""
        return max(mask.bit_length() for _, mask in self.sets)

    @property
    def stride(self) -> int | Fraction:
        """Input positions between neighbouring units."""
        return _ratio(self.jump, len(self.sets))

    @property
    def start(self) -> int | Fraction:
        """Centre of the set of unit 0."""
        first, mask = self.sets[0]
        return _ratio(2 * first + mask.bit_length() - 1, 2)

    @property
    def dense(self) -> bool:
        """Whether every phase sees the same number of positions, without holes."""
        sizes = {mask.bit_length() for _, mask in self.sets}
        return len(sizes) == 1 and all(mask & (mask + 1) == 0 for _, mask in self.sets)

    @property
    def density(self) -> float:
        """The part of the positions between first and last that are seen: 1 without holes."""
        boxes = sum(mask.bit_length() for _, mask in self.sets)
        return sum(mask.bit_count() for _, mask in self.sets) / boxes if boxes else 0.0

    def seen(self, unit: int) -> tuple[int, int]:
        """First position and mask of `unit`."""
        period = len(self.sets)
        if self.finite:
            return self.sets[unit] if 0 <= unit < period else (0, 0)
        turn, phase = divmod(unit, period)
        first, mask = self.sets[phase]
        return first + turn * self.jump, mask  # type: ignore[return-value]

    def through(self, taps: Taps, count: Any = None) -> Axis | None:
        """The axis after a unit that reads it with `taps`, over a map of `count` positions; None
        where its sets depend on a count that is a symbol.
        """
        period = len(self.sets)
        if taps.down == 0 and len(taps.reach) > 1:
            return _through_all(self, taps, len(taps.reach))
        if not self.finite:
            turns = period // gcd(period, taps.down)
            if turns * len(taps.reach) == 1 or type(count) is not int:
                return _through(self, taps)
            if turns * len(taps.reach) <= count:
                return _through(self, taps)
        return _through_all(self, taps, count) if type(count) is int else None

    def meet(self, other: Axis, count: Any = None) -> Axis | None:
        """The union of two branches over a map of `count` positions; None where they do not
        advance alike and the count is a symbol.
        """
        if self is other or self == other:
            return self
        period = lcm(len(self.sets), len(other.sets))
        alike = self.jump * len(other.sets) == other.jump * len(self.sets)
        least = min(self.least, other.least)

        def union(unit: int) -> tuple[int, int]:
            return _union((self.seen(unit), other.seen(unit)))

        if type(count) is int and (self.finite or other.finite or not alike or period > count):
            stride = max(self.stride, other.stride)
            return _listed(stride, [*map(union, range(count))], least)
        if not alike or self.finite or other.finite:
            return None
        jump: Any = self.jump * period // len(self.sets)
        return _shortest(jump, [*map(union, range(period))], least)


def _ratio(top: Any, bottom: int) -> int | Fraction:
    if top % bottom == 0:
        return int(top // bottom)
    from fractions import Fraction

    return Fraction(top, bottom)


def _union(sets: Sequence[tuple[int, int]]) -> tuple[int, int]:
    full = [(first, mask) for first, mask in sets if mask]
    if not full:
        return 0, 0
    start = min(first for first, _ in full)
    union = 0
    for first, mask in full:
        union |= mask << (first - start)
    return start, union


def _grown(axis: Axis, taps: Taps) -> int:
    """`least` behind a window."""
    widest = max(count for _, count in taps.reach)
    return axis.least + (widest - 1) * abs(taps.step * axis.jump) // len(axis.sets)


def _seen_by(axis: Axis, taps: Taps, units: int) -> list[tuple[int, int]]:
    """What the first `units` see that read the axis with `taps`."""
    sets: dict[tuple[int, int], tuple[int, int]] = {}
    seen: list[tuple[int, int]] = []
    for unit in range(units):
        turn, phase = divmod(unit, len(taps.reach))
        first, count = taps.reach[phase]
        start = turn * taps.down + first
        if (start, count) not in sets:
            reads = [axis.seen(start + taps.step * m) for m in range(count)]
            sets[start, count] = _union(reads)
        seen.append(sets[start, count])
    return seen


@lru_cache(maxsize=4096)
def _through(axis: Axis, taps: Taps) -> Axis:
    """Kept, because nets repeat themselves: the same few windows over the same few axes."""
    period, up = len(axis.sets), len(taps.reach)
    turns = period // gcd(period, taps.down)
    jump: Any = axis.jump * taps.down * turns // period
    return _shortest(jump, _seen_by(axis, taps, turns * up), _grown(axis, taps))


@lru_cache(maxsize=1024)
def _through_all(axis: Axis, taps: Taps, count: int) -> Axis:
    """The same with a set for each of `count` units."""
    up, down = len(taps.reach), taps.down
    stride = _ratio(axis.jump * down, len(axis.sets) * up) if down or up == 1 else axis.stride
    return _listed(stride, _seen_by(axis, taps, count), _grown(axis, taps))


def _listed(stride: int | Fraction, sets: Sequence[tuple[int, int]], least: int) -> Axis:
    """The axis of units that see these sets, one each; not finite where they are all alike."""
    first, mask = sets[0]
    even = stride % 1 == 0
    if even and all(one == (first + stride * unit, mask) for unit, one in enumerate(sets)):
        return Axis(stride, (sets[0],), least)
    return Axis(_ratio(stride * len(sets), 1), tuple(sets), least, True)


def _shortest(jump: Any, sets: Sequence[tuple[int, int]], least: int) -> Axis:
    """The same axis with the smallest period."""
    period = len(sets)
    for short in range(1, period):
        if period % short == 0 and jump * short % period == 0:
            hop = jump * short // period
            if all(
                sets[i + short] == (sets[i][0] + hop, sets[i][1]) for i in range(period - short)
            ):
                return Axis(hop, tuple(sets[:short]), least)
    return Axis(jump, tuple(sets), least)
