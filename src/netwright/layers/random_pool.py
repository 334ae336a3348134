"""Pools that draw: stochastic, tournament and fractional max pooling."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwright.layers.windows import Sizes, WindowPool, Windows, flat_index

__all__ = ["FractionalMaxPool", "StochasticPool", "TournamentPool"]

_LEAST = 1e-30
"""Weight of an activation that is not positive: lost beside any that is."""


def _taken(x: Tensor, index: Tensor) -> Tensor:
    """The values of a map at an index into its flattened positions."""
    return x.flatten(2).gather(2, index.flatten(2)).unflatten(2, index.shape[2:])


class StochasticPool(WindowPool):
    """One activation of every window, drawn with probability p_i = a_i / sum_j a_j in
    training; their mean weighted by it, sum_i p_i a_i, in evaluation (Zeiler & Fergus 2013,
    arXiv:1301.3557).

    Activations that are not positive are never drawn, padding neither; of a window without
    a positive one all are equally likely, so an all-zero window gives zero. Draws come from
    `generator` if there is one.
    """

    generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        if self.training:
            return _taken(x, self.draw(wide.detach()))
        weight = F.threshold(wide, _LEAST, _LEAST)  # a clamp, with a far faster gradient
        return (self.total(weight * wide) / self.total(weight)).to(x.dtype)

    def draw(self, x: Tensor) -> Tensor:
        """Index in the flattened map of what each window draws: the first tap at which the
        running sum of activations passes u times their total, u uniform in [0, 1).
        """
        windows = self.windows(x)
        sums: list[Tensor] = []
        for tap in windows.taps(windows.padded(x.clamp(min=_LEAST))):
            sums.append(sums[-1] + tap if sums else tap)
        total = sums[-1]
        goal = torch.rand(
            total.shape, dtype=total.dtype, device=x.device, generator=self.generator
        ).mul_(total)
        offsets = windows.offsets()
        kind = torch.uint8 if offsets[-1] < 256 else torch.int64  # small ones are fast
        offset = torch.zeros(goal.shape, dtype=kind, device=x.device)
        for i, reached in enumerate(sums[:-1]):
            offset.add_((reached <= goal).to(kind), alpha=offsets[i + 1] - offsets[i])
        return windows.corners(x.device) + offset


class TournamentPool(WindowPool):
    """The largest of `entrants` positions of every window, drawn with replacement, in
    training; its expected value in evaluation: sum_r a_(r) (r^n - (r-1)^n) / K^n for n
    entrants of K positions, a_(1) <= ... <= a_(K) sorted.

    One entrant averages in evaluation, many take the maximum. Zeros of the padding may be
    drawn. The rule is the tournament selection of genetic algorithms (Goldberg & Deb 1991).
    """

    generator: torch.Generator | None = None

    def __init__(
        self,
        kernel_size: Sizes = 2,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        entrants: int = 2,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.entrants = entrants

    def forward(self, x: Tensor) -> Tensor:
        windows = self.windows(x)
        x = windows.padded(x)
        if not self.training:
            taps = torch.stack(list(windows.taps(x)), -1)
            ranks = torch.arange(taps.shape[-1] + 1, dtype=x.dtype, device=x.device)
            odds = (ranks / taps.shape[-1]).pow(self.entrants).diff()
            return (taps.sort(-1).values * odds).sum(-1)
        return _taken(x, self.draw(x.detach(), windows.over(x)))

    def draw(self, x: Tensor, windows: Windows) -> Tensor:
        """Index in the flattened map of the winner of every window."""
        offsets = torch.tensor(windows.offsets(), device=x.device)
        shape = (*x.shape[:2], *windows.counts, self.entrants)
        drawn = torch.randint(len(offsets), shape, device=x.device, generator=self.generator)
        index = windows.corners(x.device)[..., None] + offsets[drawn]
        values = x.flatten(2).gather(2, index.flatten(2)).view(shape)
        return index.gather(-1, values.argmax(-1, keepdim=True)).squeeze(-1)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, entrants={self.entrants}"


class FractionalMaxPool(nn.Module):
    """The largest value of int(`ratio` n) windows an axis, n / int(ratio n) apart on average
    (Graham 2014, arXiv:1412.6071).

    With n positions, m windows of k and d = (n - k) / (m - 1), window i starts at
    floor((i + u) d) - floor(u d), u uniform in [0, 1): `regions="pseudo"`, as
    `nn.FractionalMaxPool2d`, but one u an axis for the whole batch. With `"random"` the
    steps, floor(d) and ceil(d), come in random order. In evaluation regions stand still:
    pseudo-random ones with u = 1/2.
    """

    generator: torch.Generator | None = None

    def __init__(self, kernel_size: Sizes = 2, ratio: float = 0.7, regions: str = "pseudo") -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.ratio = ratio
        self.regions = regions

    def forward(self, x: Tensor) -> Tensor:
        rank = x.dim() - 2
        kernel = (self.kernel_size,) * rank if isinstance(self.kernel_size, int) else (
            self.kernel_size
        )  # fmt: skip
        axes = zip(x.shape[2:], kernel, strict=True)
        corners = flat_index(x.shape[2:], [self.starts(n, k, x.device) for n, k in axes])
        taps = flat_index(x.shape[2:], [torch.arange(k, device=x.device) for k in kernel])
        flat = x.detach().flatten(2)
        first = corners.flatten()
        index = first.expand(*flat.shape[:2], -1)
        best = flat.index_select(2, first)
        for tap in taps.flatten()[1:]:
            place = first + tap
            value = flat.index_select(2, place)
            index = torch.where(value > best, place, index)
            best = torch.maximum(value, best)
        return _taken(x, index.unflatten(2, corners.shape))

    def starts(self, size: int, k: int, device: torch.device) -> Tensor:
        """First position of every window, drawn anew in training."""
        count = int(size * self.ratio)
        if count == 1:
            return torch.tensor([size - k], device=device)
        room, steps = size - k, count - 1
        if self.training and self.regions == "random":
            order = torch.randperm(steps, device=device, generator=self.generator)
            hops = room // steps + (order < room % steps).long()
            return torch.cat([hops.new_zeros(1), hops.cumsum(0)])
        u = torch.tensor(0.5, dtype=torch.float64, device=device)
        if self.training:
            u = torch.rand((), dtype=u.dtype, device=device, generator=self.generator)
        at = ((torch.arange(count, device=device) + u) * room / steps).floor()
        return (at - at[0]).long()

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, ratio={self.ratio}, regions={self.regions!r}"
