"""What stands in the padding of a convolution.

| border      | a b c d, padded by 2                  | NumPy, SciPy            |
| ----------- | ------------------------------------- | ----------------------- |
| "zeros"     | 0 0 a b c d 0 0                       | constant                |
| a number v  | v v a b c d v v                       | constant                |
| "circular"  | c d a b c d a b                       | wrap, grid-wrap         |
| "replicate" | a a a b c d d d                       | edge, nearest           |
| "reflect"   | c b a b c d c b                       | reflect, mirror         |
| "symmetric" | b a a b c d d c                       | symmetric, reflect      |

"crop" drops the kernel's parts outside the map and scales the rest by prod(k) / parts left:
partial convolution (Liu et al. 2018, arXiv:1811.11718). "random" pads with zeros, their total
split at random between the two sides in training, in halves in evaluation; one draw an axis
for the batch (after Yang et al. 2023, arXiv:2302.08682).

Receptive fields count positions of the padding as outside the image, whatever stands there.
"""

from __future__ import annotations

from math import prod
from typing import Any

from netwright.core.cost import Kept
from netwright.core.shape import Shape, show
from netwright.core.spec import Unit
from netwright.errors import ShapeError, SpecError
from netwright.units.window import padded

__all__ = ["BORDERS", "check_border_of", "is_border", "kept_padded"]

BORDERS = ("zeros", "circular", "replicate", "reflect", "symmetric", "crop", "random")
"""What `border` may say, beside a number."""


def is_border(unit: Unit) -> None:
    """Raise `SpecError` unless the field `border` is one of `BORDERS` or a finite number."""
    border: Any = vars(unit)["border"]
    number = type(border) in (int, float) and abs(border) < float("inf")
    if not number and border not in BORDERS:
        raise SpecError(
            f"{type(unit).__name__}: border is {border!r}, wanted a number or one of "
            f"{', '.join(map(repr, BORDERS))}"
        )


def check_border_of(
    unit: Unit, border: str | float, pads: tuple[tuple[int, int], ...], x: Shape
) -> None:
    """Raise `ShapeError` where the map is too small to be wrapped or reflected that far."""
    least = {"circular": 0, "reflect": 1}.get(str(border))
    if least is None:
        return
    for n, pair in zip(x[1:], pads, strict=True):
        if isinstance(n, int) and max(pair) + least > n and max(pair) > 0:
            raise ShapeError(
                f"{type(unit).__name__}: {border} padding of {max(pair)} needs "
                f"{max(pair) + least} positions, got {show(x)}; use 'symmetric' or 'replicate'"
            )


def kept_padded(x: Shape, pads: tuple[tuple[int, int], ...], border: str | float) -> Kept:
    """What training keeps of a padded copy that a convolution reads, and of its way back."""
    wide = padded(x, pads)
    drawn = border in ("symmetric", "random")  # by an index an axis
    return Kept(
        input=border in ("reflect", "replicate"),
        each=prod(wide),
        table=8 * sum(wide[1:]) if drawn else 0,
    )
