"""Shapes without the batch, and the arithmetic of windows that slide over them.

A shape is a tuple of sizes: `(C, L)`, `(C, H, W)`, `(C, T, H, W)`, `(T, F)` or `(F,)`.
A size is an `int`, or a sympy expression when a formula is wanted; nothing here asks which.

Sequences have time first: `(T, F)`, `(T, C, L)`, `(T, C, H, W)`. A rank alone does not tell a
sequence of images from a volume `(C, T, H, W)`; the unit does: recurrence, attention and
`TimeDistributed` read time first, all others channels first. Either way there are as many
axes as sizes after the first: positions, or time and then positions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, cast

from netwright.errors import ShapeError

__all__ = [
    "Axes",
    "Padding",
    "Shape",
    "as_shape",
    "least",
    "need_rank",
    "pads",
    "per_axis",
    "show",
    "slid",
    "spread",
]

Shape: TypeAlias = tuple[int, ...]
Axes: TypeAlias = int | tuple[int, ...]
"""One number for every axis, or one number an axis."""
Padding: TypeAlias = str | int | tuple[int | tuple[int, int], ...]
"""`valid`, `same`, `full`, one number, a number an axis, or a (before, after) pair an axis."""


def as_shape(value: Any) -> Shape:
    """A tuple of sizes from any sequence of them; `ShapeError` for what is none.

    >>> as_shape([3, 32, 32])
    (3, 32, 32)
    """
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ShapeError(
            f"{value!r} is no input; wanted a shape without the batch, such as (3, 224, 224)"
        )
    return tuple(cast("Iterable[int]", value))


def show(shape: Sequence[Any]) -> str:
    """`(3, 224, 224)` as `3x224x224`; several shapes are joined by ` + `."""
    if shape and isinstance(shape[0], tuple):
        return " + ".join(show(part) for part in shape)
    return "x".join(str(size) for size in shape)


def per_axis(value: Axes, rank: int, what: str = "kernel") -> tuple[int, ...]:
    """One number an axis.

    >>> per_axis(3, 2)
    (3, 3)
    """
    if not isinstance(value, tuple):
        return (value,) * rank
    if len(value) != rank:
        raise ShapeError(f"{what} {value} has {len(value)} axes, the input has {rank}")
    return value


def pads(
    padding: Padding, kernel: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[tuple[int, int], ...]:
    """(before, after) an axis.

    `same` adds d(k-1) in all and puts the odd one after, whatever the stride, so that the
    output has ceil(n / stride) positions; `full` adds d(k-1) on both sides.

    >>> pads("same", (3, 2), (1, 1))
    ((1, 1), (0, 1))
    """
    reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if padding == "valid":
        return ((0, 0),) * len(reach)
    if padding == "same":
        return tuple((r // 2, r - r // 2) for r in reach)
    if padding == "full":
        return tuple((r, r) for r in reach)
    if not isinstance(padding, tuple):
        return ((padding, padding),) * len(reach)  # type: ignore[return-value]
    if len(padding) != len(reach):
        raise ShapeError(f"padding {padding} has {len(padding)} axes, the input has {len(reach)}")
    return tuple(p if isinstance(p, tuple) else (p, p) for p in padding)


def slid(n: Any, k: int, s: int, pad: tuple[int, int], d: int = 1, ceil: bool = False) -> Any:
    """Positions of a window: floor((n + p - d(k-1) - 1) / s) + 1.

    With `ceil` the last window may hang over the end, but must start inside the input or
    the padding before it, as PyTorch counts.

    >>> slid(224, 7, 2, (3, 3))
    112
    """
    room = n + pad[0] + pad[1] - d * (k - 1) - 1
    if isinstance(room, int) and room < 0 and not (ceil and room > -s):
        raise ShapeError(
            f"a window of {d * (k - 1) + 1} does not fit a map of {n} padded to {n + sum(pad)}; "
            "use a larger input, more padding or a smaller kernel"
        )
    if s == 1:
        return room + 1
    if not ceil:
        return room // s + 1
    out = -(-room // s) + 1
    if all(isinstance(size, int) for size in (k, s, d, pad[1])) and s + pad[1] <= d * (k - 1) + 1:
        return out  # the last window starts inside whatever n
    return least(out, -(-(n + pad[0]) // s))


def least(a: Any, b: Any) -> Any:
    """The smaller of two sizes; of symbols a formula, (a + b - |a - b|) / 2.

    >>> least(3, 2)
    2
    """
    both = isinstance(a, int) and isinstance(b, int)
    return min(a, b) if both else (a + b - abs(a - b)) // 2


def spread(n: Any, k: int, s: int, pad: tuple[int, int], d: int, extra: int) -> Any:
    """Positions of a transposed window: (n-1) s - 2p + d(k-1) + extra + 1.

    >>> spread(7, 2, 2, (0, 0), 1, 0)
    14
    """
    return (n - 1) * s - pad[0] - pad[1] + d * (k - 1) + extra + 1


def need_rank(who: str, x: Shape, least: int, most: int) -> None:
    """Raise `ShapeError` unless `x` has between `least` and `most` sizes."""
    if not least <= len(x) <= most:
        layouts = {1: "(F,)", 2: "(C, L)", 3: "(C, H, W)", 4: "(C, T, H, W)"}
        wanted = " or ".join(layouts[r] for r in range(least, most + 1))
        hint = "; flatten or pool it first" if len(x) > most else ""
        raise ShapeError(f"{who} takes {wanted}, got {show(x)}{hint}")
