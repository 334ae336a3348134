"""What a net may hold: far more than any that was built, far less than memory.

A line of text can describe a net of a billion layers, or one whose units see a billion
positions; a bound on each of them is told before anything of that size is made.
"""

from __future__ import annotations

from math import prod

from netwright.core.field import Field, Window
from netwright.core.shape import Shape, show
from netwright.errors import ShapeError

__all__ = ["DEEPEST", "ELEMENTS", "PARTS", "RANK", "SEEN", "check_field", "check_map"]

PARTS = 50_000
"""Units of a net and wiring that holds them; ResNet-1202 has 8,000."""
DEEPEST = 100
"""Names in the path of a unit."""
ELEMENTS = 2**50
"""Elements of a map: a petabyte of bytes."""
RANK = 8
"""Sizes of a map."""
SEEN = 2**22
"""Positions from the first to the last that a unit sees along an axis."""
_STEPS = 2**33
"""Positions written down while the sets that a unit sees are joined, in all."""


def check_map(y: Shape) -> None:
    """Raise `ShapeError` for a map with more elements than any machine holds."""
    if len(y) > RANK:
        raise ShapeError(f"a map has at most {RANK} sizes, got {len(y)}")
    elements = prod(y)
    if isinstance(elements, int) and elements > ELEMENTS:
        raise ShapeError(f"a map of {show(y)} has more than {ELEMENTS:,} elements")


def check_field(field: Field, window: Window, y: Shape) -> None:
    """Raise `ShapeError` where a unit that makes a map `y` sees more than can be written down."""
    if not window or field.axes is None:
        return
    for axis, taps, positions in zip(field.axes, window, y[1:], strict=False):
        if not taps.reach:
            return
        widest = max([count for _, count in taps.reach])
        pace = -(-axis.jump // len(axis.sets))
        size = axis.size + (widest - 1) * taps.step * pace
        if size > SEEN:
            raise ShapeError(f"units would see {size:,} positions of an axis, at most {SEEN:,}")
        sets = len(axis.sets) * len(taps.reach)
        sets = min(sets, positions) if isinstance(positions, int) else sets
        if sets * widest * size > _STEPS:
            raise ShapeError(
                f"units would see {sets:,} different sets of {size:,} positions along an axis; "
                "use a smaller kernel or map"
            )
