"""Batches of maps that differ from one reference in a window each, and what becomes of them.

An occluder changes a window of the image, and behind every layer a window of the map: the units
whose fields it touches. Only these are computed. Windows of a batch have one size; at a border
they are shifted inwards, so that they stay one batch. Operations without a rule here get the
whole maps, put together, so that every model comes out right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

__all__ = ["RULES", "Covered", "References", "Windows", "covered", "uncovered"]


RULES: dict[Any, Callable[..., Any]] = {}
"""What answers a call on covered batches; `NotImplemented` from it asks for the whole maps."""


class Windows(NamedTuple):
    """A window in each map of a batch: first rows, first columns, and their common size."""

    tops: tuple[int, ...]
    lefts: tuple[int, ...]
    height: int
    width: int


class References:
    """What every rule gave for the reference, in the order of the calls: computed in the first
    pass, read in the ones after.
    """

    def __init__(self) -> None:
        self._kept: list[Tensor] = []
        self._at = 0

    def restart(self) -> None:
        """Begins another pass."""
        self._at = 0

    def of(self, compute: Callable[[], Tensor]) -> Tensor:
        """The reference of the next call."""
        if self._at == len(self._kept):
            self._kept.append(compute())
        self._at += 1
        return self._kept[self._at - 1]


class Covered(Tensor):
    """A batch (N, C, H, W): `reference` (1, C, H, W), but for `patches` (N, C, h, w) in `windows`.

    Once something needed the whole maps they are in `whole`, and count from then on, since views
    of them may be written to.
    """

    reference: Tensor
    patches: Tensor
    windows: Windows
    whole: Tensor | None
    references: References

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _QUESTIONS and args[0].whole is None:
            with torch._C.DisableTorchFunctionSubclass():  # noqa: SLF001
                return func(*args, **kwargs)
        rule = RULES.get(func)
        if rule is not None:
            result = rule(*args, **kwargs)
            if result is not NotImplemented:
                return result
        return func(*tree_map(uncovered, args), **tree_map(uncovered, kwargs))

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return self.reference.device

    def become(self, other: Covered) -> Covered:
        """Takes the content of another one of the same shape: an operation in place."""
        self.reference, self.patches, self.windows = other.reference, other.patches, other.windows
        return self


def covered(reference: Tensor, values: Tensor, windows: Windows, references: References) -> Covered:
    """A batch that differs from the reference in its windows."""
    shape = (len(values), values.shape[1], *reference.shape[2:])
    batch: Any = torch.empty(shape, dtype=values.dtype, device="meta").as_subclass(Covered)
    batch.reference, batch.patches, batch.windows = reference, values, windows
    batch.references, batch.whole = references, None
    return batch


def uncovered(value: Any) -> Any:
    """The whole maps (N, C, H, W) of what may be a covered batch."""
    if not isinstance(value, Covered):
        return value
    if value.whole is None:
        tops, lefts, h, w = value.windows
        whole = value.reference.repeat(len(value.patches), 1, 1, 1)
        for map_, patch, top, left in zip(whole, value.patches, tops, lefts, strict=True):
            map_[:, top : top + h, left : left + w] = patch
        value.whole = whole
    return value.whole


def cut(x: Covered, windows: Windows, around: Sequence[int] = (0, 0, 0, 0),
        fill: float = 0.0) -> Tensor:  # fmt: skip
    """The windows of the maps, (N, C, h, w). They may reach into a border of `around` pixels
    (left, right, top, bottom) that holds `fill`.
    """
    if windows == x.windows and not any(around):
        return x.patches
    left_pad, _, top_pad, _ = around
    ground = x.reference[0]
    if any(around):
        ground = torch.nn.functional.pad(ground, tuple(around), value=fill)
    n, (_, _, h, w), (_, _, own_h, own_w) = len(x.patches), windows, x.windows
    pieces = ground.new_empty((n, ground.shape[0], h, w))
    places = zip(*windows[:2], *x.windows[:2], strict=True)
    for i, (top, left, own_top, own_left) in enumerate(places):
        y, z = top + top_pad, left + left_pad
        piece = pieces[i]
        y0, y1 = max(top, own_top), min(top + h, own_top + own_h)
        x0, x1 = max(left, own_left), min(left + w, own_left + own_w)
        if (y0, y1, x0, x1) != (top, top + h, left, left + w):
            piece[...] = ground[:, y : y + h, z : z + w]
        if y0 < y1 and x0 < x1:
            piece[:, y0 - top : y1 - top, x0 - left : x1 - left] = x.patches[
                i, :, y0 - own_top : y1 - own_top, x0 - own_left : x1 - own_left
            ]
    return pieces


class _Reach(NamedTuple):
    """Along one axis: the first output of every window, their number, and the first input and
    the number of inputs they read; then the border that is missing before and behind.
    """

    outputs: tuple[int, ...]
    number: int
    inputs: tuple[int, ...]
    extent: int
    before: int
    behind: int


def _reached(starts: Sequence[int], length: int, size: int, out: int, kernel: int, stride: int,
             padding: int, dilation: int) -> _Reach:  # fmt: skip
    """Outputs that read any of `length` inputs from `starts` on."""
    span = (kernel - 1) * dilation
    count = min(out, (length - 1 + span) // stride + 1)
    outputs = tuple([min(max(-((span - a - padding) // stride), 0), out - count) for a in starts])
    inputs = tuple([i * stride - padding for i in outputs])
    extent = (count - 1) * stride + span + 1
    behind = max(0, (out - 1) * stride + span + 1 - padding - size)
    return _Reach(outputs, count, inputs, extent, padding, behind)


def slide(
    x: Covered, run: Callable[[Tensor, bool], Tensor], kernel: Sequence[int],
    stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int], fill: float = 0.0,
) -> Covered:  # fmt: skip
    """What a sliding window makes of a covered batch; `run(maps, padded)` is the operation,
    without its own padding where the maps have it already.
    """
    reference = x.references.of(lambda: run(x.reference, False))
    tops, lefts, h, w = x.windows
    size, out = x.reference.shape[2:], reference.shape[2:]
    down, across = [
        _reached(starts, length, size[i], out[i], kernel[i], stride[i], padding[i], dilation[i])
        for i, (starts, length) in enumerate(((tops, h), (lefts, w)))
    ]
    around = (across.before, across.behind, down.before, down.behind)
    reads = Windows(down.inputs, across.inputs, down.extent, across.extent)
    values = run(cut(x, reads, around, fill), True)
    windows = Windows(down.outputs, across.outputs, down.number, across.number)
    return covered(reference, values, windows, x.references)


class _Spread(NamedTuple):
    """Along one axis: the first output of every window, their number, the first input each needs,
    how many, and where in what these give the outputs begin.
    """

    outputs: tuple[int, ...]
    number: int
    inputs: tuple[int, ...]
    extent: int
    offsets: tuple[int, ...]


def _written(starts: Sequence[int], length: int, out: int, kernel: int, stride: int,
             padding: int, dilation: int) -> _Spread:  # fmt: skip
    """Outputs that any of `length` inputs from `starts` on are written to."""
    span = (kernel - 1) * dilation
    count = min(out, (length - 1) * stride + span + 1)
    outputs = tuple([min(max(a * stride - padding, 0), out - count) for a in starts])
    inputs = tuple([min(-((span - o - padding) // stride), (o + padding) // stride)
                    for o in outputs])  # fmt: skip
    offsets = tuple([o + padding - i * stride for o, i in zip(outputs, inputs, strict=True)])
    most = max(offset + count for offset in offsets)
    extent = max((most - 1) // stride, -((span + 1 - most) // stride)) + 1
    return _Spread(outputs, count, inputs, extent, offsets)


def spread(
    x: Covered, run: Callable[[Tensor, bool], Tensor], kernel: Sequence[int],
    stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int],
) -> Covered:  # fmt: skip
    """What a transposed convolution makes of a covered batch; `run(maps, whole)` is the
    operation, with `whole` all that the maps are written to, without its own padding.
    """
    reference = x.references.of(lambda: run(x.reference, False))
    tops, lefts, h, w = x.windows
    size, out = x.reference.shape[2:], reference.shape[2:]
    down, across = [
        _written(starts, length, out[i], kernel[i], stride[i], padding[i], dilation[i])
        for i, (starts, length) in enumerate(((tops, h), (lefts, w)))
    ]
    around = [
        edge
        for axis, n in ((across, size[1]), (down, size[0]))
        for edge in (max(0, -min(axis.inputs)), max(0, max(axis.inputs) + axis.extent - n))
    ]
    reads = Windows(down.inputs, across.inputs, down.extent, across.extent)
    written = run(cut(x, reads, around), True)
    places = zip(written, down.offsets, across.offsets, strict=True)
    values = torch.stack([map_[:, y : y + down.number, z : z + across.number]
                          for map_, y, z in places])  # fmt: skip
    windows = Windows(down.outputs, across.outputs, down.number, across.number)
    return covered(reference, values, windows, x.references)


def joined(xs: Sequence[Covered], join: Callable[[list[Tensor]], Tensor]) -> Covered:
    """What an operation makes of covered batches of one size, position by position."""
    height, width = xs[0].reference.shape[2:]
    reference = xs[0].references.of(lambda: join([x.reference for x in xs]))
    windows = xs[0].windows
    if any(x.windows != windows for x in xs):
        tops, h = _union([(x.windows.tops, x.windows.height) for x in xs], height)
        lefts, w = _union([(x.windows.lefts, x.windows.width) for x in xs], width)
        windows = Windows(tops, lefts, h, w)
    values = join([cut(x, windows) for x in xs])
    return covered(reference, values, windows, xs[0].references)


def _union(spans: Sequence[tuple[tuple[int, ...], int]], size: int) -> tuple[tuple[int, ...], int]:
    """Starts and common length of spans that hold all given ones, map by map."""
    rows = list(zip(*[starts for starts, _ in spans], strict=True))
    lengths = [length for _, length in spans]
    firsts = [min(row) for row in rows]
    lasts = [max(a + n for a, n in zip(row, lengths, strict=True)) for row in rows]
    longest = max(b - a for a, b in zip(firsts, lasts, strict=True))
    return tuple([min(a, size - longest) for a in firsts]), longest


_QUESTIONS = {
    Tensor.shape.__get__, Tensor.ndim.__get__, Tensor.dtype.__get__,  # type: ignore[attr-defined]
    Tensor.requires_grad.__get__, Tensor.size, Tensor.dim, Tensor.ndimension,  # type: ignore[attr-defined]
    Tensor.numel, Tensor.nelement, Tensor.__len__, Tensor.is_floating_point, Tensor.is_complex,
}  # fmt: skip
"""What can be answered without values."""
