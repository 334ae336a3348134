"""From PyTorch's arguments to the units of the algebra, the shortest way to write them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from netwright.core.shape import Padding, pads
from netwright.core.spec import Unit
from netwright.units.conv import Conv, TransposedConv
from netwright.units.pool import AdaptiveAvgPool, AvgPool, GlobalAvgPool, MaxPool

__all__ = ["adaptive_unit", "axes_of", "conv_unit", "one", "pool_unit", "short", "transposed_unit"]


@lru_cache(maxsize=1024)
def one(kind: type[Unit], *fields: Any) -> Unit:
    """A unit with these fields, made once."""
    return kind(*fields)


def short(value: Any) -> Any:
    """One number where all axes agree.

    >>> short((3, 3)), short([1, 7])
    (3, (1, 7))
    """
    if isinstance(value, int):
        return value
    axes = tuple(value)
    return axes[0] if len({*axes}) == 1 else axes


def axes_of(value: Any, rank: int) -> tuple[int, ...]:
    """One number an axis, of one for all or a list of them.

    >>> axes_of(3, 2), axes_of([3], 2)
    ((3, 3), (3, 3))
    """
    if isinstance(value, int):
        return (value,) * rank
    value = tuple(value)
    return value * rank if len(value) == 1 else value


@lru_cache(maxsize=2048)
def _padding(padding: Any, kernel: tuple[int, ...], dilation: Any) -> Padding:
    if isinstance(padding, str):
        return padding
    rank = len(kernel)
    each = (dilation,) * rank if isinstance(dilation, int) else dilation
    same = pads("same", kernel, each)
    given = (padding,) * rank if isinstance(padding, int) else padding
    return "same" if tuple((p, p) for p in given) == same else short(given)


@lru_cache(maxsize=4096)
def conv_unit(
    width: int, kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any, groups: int,
    bias: bool, border: str = "zeros",
) -> Conv:  # fmt: skip
    """The unit of a convolution."""
    step = short(dilation)
    return Conv(
        width, short(kernel), short(stride), _padding(padding, kernel, step), step, groups, bias,
        border,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def transposed_unit(
    width: int, kernel: tuple[int, ...], stride: Any, padding: Any, extra: Any, groups: int,
    bias: bool, dilation: Any,
) -> TransposedConv:  # fmt: skip
    """The unit of a transposed convolution."""
    return TransposedConv(
        width, short(kernel), short(stride), short(padding), short(extra), short(dilation),
        groups, bias,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def pool_unit(
    kind: str, kernel: Any, stride: Any, padding: Any, ceil: bool, counts: bool = True
) -> Unit:
    """The unit of max or average pooling."""
    kernel, stride = short(kernel), short(stride) if stride not in (None, ()) else None
    stride = None if stride == kernel else stride
    if kind == "max":
        return MaxPool(kernel, stride, short(padding), ceil)
    return AvgPool(kernel, stride, short(padding), ceil, counts)


@lru_cache(maxsize=1024)
def adaptive_unit(size: tuple[int, ...]) -> Unit:
    """The unit of adaptive average pooling to that many cells an axis."""
    size = short(size)
    return GlobalAvgPool(keep=True) if size == 1 else AdaptiveAvgPool(size)
