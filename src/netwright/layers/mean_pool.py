"""Pools between the mean and the maximum: norms, weighted means, mixtures of the two."""

from __future__ import annotations

from math import expm1, log, prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netwright.layers.windows import Sizes, WindowPool

__all__ = ["GatedPool", "LpPool", "MixedPool", "WeightedPool"]


class LpPool(WindowPool):
    """y = (sum |x|^p)^(1/p) over every window (Sermanet et al. 2012, arXiv:1204.3968).

    1 is the sum, 2 the Euclidean norm, infinity the maximum. With `learned`, p is learnt as
    1 + softplus(rho), so that it stays a norm (Gulcehre et al. 2013, arXiv:1311.1780).
    """

    def __init__(
        self,
        kernel_size: Sizes = 2,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        p: float = 2.0,
        learned: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.p, self.learned = p, learned
        # softplus(rho) = p - 1, whatever p: e^p would overflow
        self.rho = nn.Parameter(torch.tensor(p - 1 + log(-expm1(1 - p)))) if learned else None

    def forward(self, x: Tensor) -> Tensor:
        p = self.p if self.rho is None else 1 + F.softplus(self.rho)
        even = self.rho is None and self.p == 2
        wide = x.to(torch.promote_types(x.dtype, torch.float32))  # powers outgrow half precision
        powers = wide.square() if even else _power(wide.abs(), p)
        return _power(self.total(powers), 1 / p).to(x.dtype)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, p={self.p}, learned={self.rho is not None}"


def _power(x: Tensor, p: Tensor | float) -> Tensor:
    """x^p of x >= 0. Where there is no slope at zero, zeros stay, without a gradient."""
    if not isinstance(p, Tensor) and p >= 2:
        return x.pow(p)
    some = F.threshold(x, 0, 1)  # takes a small part of the time of `torch.where`
    power = (some.log() * p).exp_() if isinstance(p, Tensor) else some.pow(p)
    return power + x.detach().sign().sub_(1)


class WeightedPool(WindowPool):
    """y = sum_i w_i x_i / sum_i w_i over every window, the same weights for all channels.

    `weights` are given in row-major order; None learns them, as the softmax of `scores`,
    which start as average pooling. `kernel_size` has a number an axis.
    """

    weights: Tensor

    def __init__(
        self,
        kernel_size: tuple[int, ...],
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        weights: tuple[float, ...] | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        learnt = weights is None
        self.scores = nn.Parameter(torch.zeros(prod(kernel_size))) if learnt else None
        self.register_buffer("weights", None if learnt else torch.tensor(weights) / sum(weights))

    def forward(self, x: Tensor) -> Tensor:
        return self.slide(x, self.weights if self.scores is None else self.scores.softmax(0))


class _MaxAndMean(WindowPool):
    """A pool between the maximum and the mean of every window."""

    def between(self, x: Tensor, share: Tensor | float) -> Tensor:
        """Share max + (1 - share) mean; padding is never the maximum, but zeros of the mean."""
        pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[x.dim() - 3]
        top = pool(x, self.kernel_size, self.stride, self.padding, ceil_mode=self.ceil_mode)
        mean = self.mean(x)
        return mean + share * (top - mean)


class MixedPool(_MaxAndMean):
    """y = a max + (1 - a) mean of every window.

    `mix` says what a is: "fixed", `share`; "learned", one number that starts there, kept
    between 0 and 1 by a sigmoid (Lee et al. 2016, arXiv:1509.08985); "random", in training 1
    with probability `share`, else 0, drawn for every image and channel from `generator` if
    there is one, and its mean in evaluation (Yu et al. 2014).
    """

    generator: torch.Generator | None = None

    def __init__(
        self,
        kernel_size: Sizes = 2,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        share: float = 0.5,
        mix: str = "fixed",
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.share = share
        self.mix = mix
        if mix == "learned":
            self.logit = nn.Parameter(torch.tensor(log(share / (1 - share))))

    def forward(self, x: Tensor) -> Tensor:
        if self.mix == "learned":
            return self.between(x, self.logit.sigmoid())
        if self.mix == "random" and self.training:
            size = (*x.shape[:2], *[1] * (x.dim() - 2))
            drawn = torch.rand(size, device=x.device, generator=self.generator)
            return self.between(x, (drawn < self.share).to(x.dtype))
        return self.between(x, self.share)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, share={self.share}, mix={self.mix!r}"


class GatedPool(_MaxAndMean):
    """y = a max + (1 - a) mean with a = sigmoid(w . x) of every window, w learnt and the same
    for all channels (Lee et al. 2016, arXiv:1509.08985).

    w starts at zero: half and half. `kernel_size` has a number an axis.
    """

    def __init__(
        self,
        kernel_size: tuple[int, ...],
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.gate = nn.Parameter(torch.zeros(prod(kernel_size)))

    def forward(self, x: Tensor) -> Tensor:
        return self.between(x, self.slide(x, self.gate).sigmoid())
