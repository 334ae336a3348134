"""Receptive fields: which input positions a unit of the net can see, exactly.

An axis keeps, for one output position, the *set* of input positions it depends on: the
first of them and a bit mask of the rest. Sliding a window ORs shifted masks together, so
overlaps, strides and the holes of dilation come out right without cases. After up-sampling
the set depends on the phase of the position, so an axis holds one set for each phase of its
period; `jump` input positions pass by for every `period` of its own.

For a chain of ordinary layers this is the classic recurrence of Araujo et al. 2019
(distill.pub/2019/computing-receptive-fields): size += d(k-1) jump, jump *= s.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import gcd, lcm
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from fractions import Fraction

__all__ = ["POINT", "UNKNOWN", "WHOLE", "Axis", "Field", "Taps", "Window", "resampling"]


class Taps(NamedTuple):
    """How one axis of a unit reads its input.

    Output `q * up + phase` reads inputs `q * down + first + step * m` for `m < count`,
    where `(first, count) = reach[phase]` and `up = len(reach)`. A convolution has one
    phase: `Taps(((-pad, kernel),), dilation, stride)`.
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

    `sets[phase]` is (first position, mask of positions from there), for unit `phase`;
    unit `phase + period` sees the same set `jump` positions further on. `least` is the
    size along the path that sees least.
    """

    jump: int = 1
    sets: tuple[tuple[int, int], ...] = ((0, 1),)
    least: int = 1

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
        turn, phase = divmod(unit, len(self.sets))
        first, mask = self.sets[phase]
        return first + turn * self.jump, mask

    def through(self, taps: Taps) -> Axis:
        """The axis after a unit that reads it with `taps`."""
        return _through(self, taps)

    def meet(self, other: Axis) -> Axis | None:
        """The union of two branches; None when they do not advance alike."""
        if self is other or self == other:
            return self
        period = lcm(len(self.sets), len(other.sets))
        jump = self.jump * period // len(self.sets)
        if jump * len(other.sets) != other.jump * period:
            return None
        sets = tuple(_union((self.seen(i), other.seen(i))) for i in range(period))
        return _shortest(jump, sets, min(self.least, other.least))


def _ratio(top: int, bottom: int) -> int | Fraction:
    if top % bottom == 0:
        return top // bottom
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


@lru_cache(maxsize=4096)
def _through(axis: Axis, taps: Taps) -> Axis:
    """Kept, because nets repeat themselves: the same few windows over the same few axes."""
    reach, step, down = taps
    jump, sets, least = axis
    period = len(sets)
    widest = max(count for _, count in reach)
    grown = least + (widest - 1) * step * jump // period
    turns = period // gcd(period, down)
    seen: list[tuple[int, int]] = []
    for turn in range(turns):
        for first, count in reach:
            start = turn * down + first
            seen.append(_union([axis.seen(start + step * m) for m in range(count)]))
    return _shortest(jump * down * turns // period, tuple(seen), grown)


def _shortest(jump: int, sets: tuple[tuple[int, int], ...], least: int) -> Axis:
    """The same axis with the smallest period."""
    period = len(sets)
    for short in range(1, period):
        if period % short == 0 and jump * short % period == 0:
            hop = jump * short // period
            if all(
                sets[i + short] == (sets[i][0] + hop, sets[i][1]) for i in range(period - short)
            ):
                return Axis(hop, sets[:short], least)
    return Axis(jump, sets, least)


class Field(NamedTuple):
    """The receptive field of a unit, an `Axis` a spatial axis.

    `axes` is what the unit sees locally: of global operations (squeeze-excitation, global
    pooling) it knows nothing; `whole` says that there was one on the way. `axes` is None
    where no spatial axis is left. `uneven` says that branches joined whose boxes do not
    cover a box together, or whose centres do not line up; `apart` that they advance by
    different strides, so that the size is that of the largest branch.
    """

    axes: tuple[Axis, ...] | None
    whole: bool = False
    uneven: bool = False
    apart: bool = False

    @property
    def size(self) -> tuple[int, ...] | None:
        """Positions from first to last, an axis; None once no spatial axis is left."""
        return None if self.axes is None else tuple(axis.size for axis in self.axes)

    @property
    def jump(self) -> tuple[Any, ...] | None:
        """Input positions between neighbouring units, an axis."""
        return None if self.axes is None else tuple(axis.stride for axis in self.axes)

    @property
    def start(self) -> tuple[Any, ...] | None:
        """Centre of unit 0's field, in input positions, an axis."""
        return None if self.axes is None else tuple(axis.start for axis in self.axes)

    @property
    def least(self) -> tuple[int, ...] | None:
        """The size along the path that sees least, an axis."""
        return None if self.axes is None else tuple(axis.least for axis in self.axes)

    @property
    def density(self) -> tuple[float, ...] | None:
        """The part of the box that is seen, an axis: three dilated kernels leave holes.

        >>> field = Field((Axis(),)).through((Taps(((-1, 3),), 2, 1),))
        >>> field.size, field.density
        ((5,), (0.6,))
        """
        return None if self.axes is None else tuple(axis.density for axis in self.axes)

    @property
    def status(self) -> Literal["exact", "hull", "global", "unknown"]:
        """`exact`: every position of the box counts; `hull`: the box is as small as a box
        can be, but has holes or an uneven edge; `global`: it sees all; `unknown`: windows
        were symbols.
        """
        if self.whole:
            return "global"
        if self.axes is None:
            return "unknown"
        smooth = not self.uneven and not self.apart and all(a.dense for a in self.axes)
        return "exact" if smooth else "hull"

    def box(self, unit: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """First and last input position seen by the unit at index `unit`, an axis.

        Unclipped: positions outside the image are padding.

        >>> field = Field((Axis(),)).through((Taps(((-1, 3),), 1, 2),))
        >>> field.box([5])
        ((9, 11),)
        """
        if self.axes is None:
            raise ValueError("no spatial axis is left here; the field is the whole input")
        seen = [axis.seen(i) for axis, i in zip(self.axes, unit, strict=True)]
        return tuple((first, first + mask.bit_length() - 1) for first, mask in seen)

    def clipped(self, unit: Sequence[int], image: Sequence[int]) -> tuple[int, ...]:
        """How many positions of an `image` of that size lie inside the box of `unit`; at the
        border some of them may be lost on the way, where a map between was cut short.
        """
        if self.axes is None:
            return tuple(image)
        boxes = self.box(unit)
        return tuple(
            max(0, min(hi, n - 1) - max(lo, 0) + 1)
            for (lo, hi), n in zip(boxes, image, strict=True)
        )

    def through(self, window: Window) -> Field:
        """The field after a unit that reads this one with `window`."""
        if window is None:
            return Field(None, True)
        axes = self.axes
        if not window or axes is None:
            return self
        if window == UNKNOWN:
            return Field(None, self.whole)
        first = axes[0].through(window[0])
        rest = [
            first if axis is axes[0] and taps == window[0] else axis.through(taps)
            for axis, taps in zip(axes[1:], window[1:], strict=True)
        ]
        return Field((first, *rest), self.whole, self.uneven, self.apart)

    @staticmethod
    def merge(fields: Sequence[Field]) -> Field:
        """The field of a value that several branches flow into."""
        whole = any(field.whole for field in fields)
        local = [field for field in fields if field.axes is not None]
        if not local:
            return Field(None, whole)
        met = local[0]
        for field in local[1:]:
            met = _meet(met, field)
        return Field(met.axes, whole, met.uneven, met.apart)


@lru_cache(maxsize=4096)
def _meet(a: Field, b: Field) -> Field:
    """Kept, because blocks repeat, and dense ones join what they joined before and one more."""
    if a.axes is b.axes and a == b:
        return a
    assert a.axes is not None and b.axes is not None  # merge() keeps the local ones
    uneven, apart = a.uneven or b.uneven, a.apart or b.apart
    pairs = list(zip(a.axes, b.axes, strict=True))
    met = [x.meet(y) for x, y in pairs]
    axes = tuple([axis for axis in met if axis is not None])
    if len(axes) < len(pairs):
        largest = a if [x.size for x in a.axes] >= [y.size for y in b.axes] else b
        return Field(largest.axes, False, uneven, True)
    covers_a = all(x.sets == u.sets for (x, _), u in zip(pairs, axes, strict=True))
    covers_b = all(y.sets == u.sets for (_, y), u in zip(pairs, axes, strict=True))
    differ = sum(x.sets != y.sets for x, y in pairs)
    centred = all(x.start == y.start for x, y in pairs)
    a_box = covers_a or covers_b or differ <= 1
    return Field(axes, False, uneven or not (a_box and centred), apart)
