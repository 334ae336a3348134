"""Pools of boxes in a map: RoI pooling and RoI align, in plain PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["RoIAlign", "RoIPool"]


class _Regions(nn.Module):
    """(N, C, H, W) and boxes (N, R, 4) -> (N, R, C, h, w); boxes are (x1, y1, x2, y2), `scale`
    leads from their coordinates to positions of the map.
    """

    def __init__(self, size: tuple[int, int] = (7, 7), scale: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.scale = scale

    def extra_repr(self) -> str:
        return f"size={self.size}, scale={self.scale}"


class RoIPool(_Regions):
    """The largest value of every cell of a grid over every box, corners rounded to positions
    (Girshick 2015, arXiv:1504.08083): (N, C, H, W) and (N, R, 4) -> (N, R, C, h, w).

    Cell i of h covers floor(i b / h) to ceil((i + 1) b / h) of a box of b = y2 - y1 + 1
    rows; cells outside the map give zero. Boxes get no gradient. Maxima over 2^k
    positions are made once for all boxes; a cell is the maximum of four of them.
    """

    def forward(self, x: Tensor, boxes: Tensor) -> Tensor:
        corners = (boxes.detach() * self.scale + 0.5).floor().long()
        x1, y1, x2, y2 = corners.unbind(-1)
        top, bottom = _cells(y1, y2, self.size[0], x.shape[2])
        left, right = _cells(x1, x2, self.size[1], x.shape[3])
        table = _doubling(_doubling(x, 2), 4)  # (N, C, levels, H, levels, W)
        row_size = table.shape[4] * table.shape[5]
        best: Tensor | None = None
        for row in _two_windows(top, bottom, x.shape[2]):
            for column in _two_windows(left, right, x.shape[3]):
                values = _picked(table, row[..., :, None] * row_size + column[..., None, :])
                best = values if best is None else torch.maximum(best, values)
        some = (bottom > top)[..., :, None] & (right > left)[..., None, :]
        return torch.where(some[:, :, None], best, 0)  # type: ignore[arg-type]


def _cells(first: Tensor, last: Tensor, count: int, size: int) -> tuple[Tensor, Tensor]:
    """Start and stop of `count` cells over first .. last, clipped to `size`: (N, R, count)."""
    extent = (last - first + 1).clamp(min=1)[..., None]
    i = torch.arange(count, device=first.device)
    start = first[..., None] + i * extent // count
    stop = first[..., None] + ((i + 1) * extent + count - 1) // count
    return start.clamp(0, size), stop.clamp(0, size)


def _doubling(x: Tensor, axis: int) -> Tensor:
    """Maxima over 2^k positions from each position on, for every k that fits, stacked before
    `axis`; what would reach over the end is cut there.
    """
    size, step, levels = x.shape[axis], 1, [x]
    while 2 * step <= size:
        head, tail = (
            levels[-1].narrow(axis, 0, size - step),
            levels[-1].narrow(axis, step, size - step),
        )
        rest = levels[-1].narrow(axis, size - step, step)
        levels.append(torch.cat([torch.maximum(head, tail), rest], axis))
        step *= 2
    return torch.stack(levels, axis)


def _two_windows(start: Tensor, stop: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Where `_doubling` keeps the two windows of 2^k that cover start .. stop together."""
    length = (stop - start).clamp(min=1)
    powers = 2 ** torch.arange(1, size.bit_length(), device=start.device)
    level = (length[..., None] >= powers).sum(-1)
    first = start.clamp(max=size - 1)
    return level * size + first, level * size + first + length - 2**level


def _picked(table: Tensor, at: Tensor) -> Tensor:
    """(N, C, ...) at flat places (N, R, h, w) -> (N, R, C, h, w)."""
    flat = table.flatten(2)
    values = flat.gather(2, at.flatten(1)[:, None].expand(-1, flat.shape[1], -1))
    return values.unflatten(2, at.shape[1:]).transpose(1, 2)


class RoIAlign(_Regions):
    """The mean of `samples` x `samples` bilinear samples in every cell of a grid over every
    box, nothing rounded (He et al. 2017, arXiv:1703.06870): (N, C, H, W) and (N, R, 4) ->
    (N, R, C, h, w).

    With `aligned` positions are centres of pixels, half a pixel from their corners; without
    it boxes start half a pixel late and are at least one position wide, as first published.
    Samples more than one position outside the map are zero.
    """

    def __init__(
        self,
        size: tuple[int, int] = (7, 7),
        scale: float = 1.0,
        samples: int = 2,
        aligned: bool = True,
    ) -> None:
        super().__init__(size, scale)
        self.samples = samples
        self.aligned = aligned

    def forward(self, x: Tensor, boxes: Tensor) -> Tensor:
        exact = torch.promote_types(x.dtype, torch.float32)  # bfloat16 cannot count to 300
        corners = boxes.to(exact) * self.scale - (0.5 if self.aligned else 0.0)
        x1, y1, x2, y2 = corners.unbind(-1)
        ys, in_rows = self._points(y1, y2, self.size[0], x.shape[2])
        xs, in_columns = self._points(x1, x2, self.size[1], x.shape[3])
        shape = (*ys.shape, xs.shape[-1])  # (N, R, h samples, w samples)
        grid = torch.stack([xs[..., None, :].expand(shape), ys[..., None].expand(shape)], -1)
        values = F.grid_sample(
            x.to(exact), grid.flatten(1, 2), padding_mode="border", align_corners=False
        ).unflatten(2, shape[1:3])
        values = values * (in_rows[..., None] & in_columns[..., None, :])[:, None]
        cells = values.unflatten(3, (-1, self.samples)).unflatten(5, (-1, self.samples))
        return cells.mean((4, 6)).transpose(1, 2).to(x.dtype)

    def _points(self, low: Tensor, high: Tensor, count: int, size: int) -> tuple[Tensor, Tensor]:
        """Samples along an axis, -1 and 1 the map's edges, and which of them count."""
        extent = high - low if self.aligned else (high - low).clamp(min=1)
        n = count * self.samples
        steps = (torch.arange(n, dtype=low.dtype, device=low.device) + 0.5) / n
        at = low[..., None] + steps * extent[..., None]
        return (2 * at + 1) / size - 1, (at >= -1) & (at <= size)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, samples={self.samples}, aligned={self.aligned}"
