"""Receptive fields: which input positions a unit of the net can see, exactly.

A field is an `Axis` a spatial axis (`netwright.core.axis`), and what is known beside them.

For a chain of ordinary layers this is the classic recurrence of Araujo et al. 2019
(distill.pub/2019/computing-receptive-fields): size += d(k-1) jump, jump *= s.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from netwright.core.axis import POINT, UNKNOWN, WHOLE, Axis, Taps, Window, resampling

__all__ = ["POINT", "UNKNOWN", "WHOLE", "Axis", "Field", "Taps", "Window", "resampling"]


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

    def through(self, window: Window, shape: Sequence[Any] = ()) -> Field:
        """The field after a unit that reads this one with `window` and makes a map of `shape`,
        whose last sizes are those of the axes.
        """
        if window is None:
            return Field(None, True)
        axes = self.axes
        if not window or axes is None:
            return self
        if window == UNKNOWN:
            return Field(None, self.whole)
        rank = len(axes)
        counts = shape[-rank:] if len(shape) >= rank else (None,) * rank
        first = axes[0].through(window[0], counts[0])
        rest = [
            first
            if axis is axes[0] and taps == window[0] and n == counts[0]
            else axis.through(taps, n)
            for axis, taps, n in zip(axes[1:], window[1:], counts[1:], strict=True)
        ]
        if first is None or None in rest:
            return Field(None, self.whole)
        return Field((first, *rest), self.whole, self.uneven, self.apart)  # type: ignore[arg-type]

    @staticmethod
    def merge(fields: Sequence[Field], counts: Sequence[Any] = ()) -> Field:
        """The field of a value that several branches flow into, maps of `counts` positions an
        axis; unknown, unless global, where one of them is.
        """
        whole = any(field.whole for field in fields)
        local = [field for field in fields if field.axes is not None]
        if not local or any(field.axes is None and not field.whole for field in fields):
            return Field(None, whole)
        met = local[0]
        for field in local[1:]:
            met = _meet(met, field, tuple(counts))
        return Field(met.axes, whole, met.uneven, met.apart)


@lru_cache(maxsize=4096)
def _meet(a: Field, b: Field, counts: tuple[Any, ...]) -> Field:
    """Kept, because blocks repeat, and dense ones join what they joined before and one more."""
    if a.axes is b.axes and a == b:
        return a
    assert a.axes is not None and b.axes is not None  # merge() keeps the local ones
    uneven = a.uneven or b.uneven
    pairs = list(zip(a.axes, b.axes, strict=True))
    apart = a.apart or b.apart or any(x.stride != y.stride for x, y in pairs)
    sizes = counts or (None,) * len(pairs)
    met = [x.meet(y, n) for (x, y), n in zip(pairs, sizes, strict=True)]
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
