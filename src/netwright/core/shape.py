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
from operator import index
from typing import Annotated, Any, TypeAlias, cast

from netwright.errors import ShapeError

__all__ = [
    "Axes",
    "Padding",
    "Shape",
    "as_shape",
    "least",
    "narrowed",
    "need_rank",
    "pads",
    "per_axis",
    "share",
    "show",
    "slid",
    "spread",
    "tight_pads",
]

Shape: TypeAlias = tuple[int, ...]
Axes: TypeAlias = Annotated[int | tuple[int, ...], "{}, or one an axis"]
"""One number for every axis, or one number an axis."""
Padding: TypeAlias = Annotated[
    str | int | tuple[int | tuple[int, int], ...],
    "'valid', 'same', 'full', {}, or one or a (before, after) pair an axis",
]
"""`valid`, `same`, `full`, one number, a number an axis, or a (before, after) pair an axis; of
convolutions also `tight`."""


def as_shape(value: Any) -> Shape:
    """A tuple of sizes from any sequence of them; `ShapeError` for what is none.

    >>> as_shape([3, 32, 32])
    (3, 32, 32)
    """
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ShapeError(
            f"{value!r} is no input; wanted a shape without the batch, such as (3, 224, 224)"
        )
    sizes = tuple(cast("Iterable[Any]", value))
    if any(isinstance(size, bool | float) for size in sizes):
        raise ShapeError(f"an input of {show(sizes)} has a size that is no positive integer")
    # Integers of other libraries are equal to Python's, and no JSON.
    return tuple([index(size) if hasattr(size, "__index__") else size for size in sizes])


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


def tight_pads(
    sizes: Shape, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[tuple[int, int], ...]:
    """(before, after) an axis: no more than ceil(n / stride) positions need, an odd one after,
    as TensorFlow's `SAME` padding.

    Unlike `same` it depends on the size of the map: a stride of 2 over an even map pads a 3x3
    window at its end only.

    >>> tight_pads((224, 15), (3, 5), (2, 2), (1, 1))
    ((0, 1), (2, 2))
    """
    pairs: list[tuple[int, int]] = []
    for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True):
        total = (-(-n // s) - 1) * s + d * (k - 1) + 1 - n
        whole = all(isinstance(size, int) for size in (k, s, d))
        if not whole or d * (k - 1) + 1 < s:  # windows with gaps between them may need none
            total = -least(0, -total)
        pairs.append((total // 2, total - total // 2))
    return tuple(pairs)


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


def narrowed(n: Any, by: int) -> Any:
    """`n` channels squeezed: n / by rounded down, but at least 1; symbols are taken for large.

    >>> narrowed(64, 16), narrowed(8, 16)
    (4, 1)
    """
    return max(1, n // by) if isinstance(n, int) and isinstance(by, int) else n // by


def share(n: Any, ratio: float) -> Any:
    """A part of `n` channels, rounded down, but at least 1; of a symbol a formula.

    >>> share(7, 0.5)
    3
    """
    if isinstance(n, int) and isinstance(ratio, int | float):
        return max(1, int(n * ratio))
    from fractions import Fraction

    exact = Fraction(ratio).limit_denominator(1000) if isinstance(ratio, int | float) else ratio
    return n * exact // 1


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
