"""SmoothGrad: the mean slope over noisy copies of an image."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from netwright.look.pace import Pace
from netwright.look.watch import Watch, gradient

__all__ = ["Smoothing", "smoothed"]


class Smoothing(NamedTuple):
    """How many copies, the deviation of their noise as a share of the image's range, and what the
    noise follows from.
    """

    samples: int = 25
    noise: float = 0.15
    seed: int = 0


def smoothed(watch: Watch, x: Tensor, target: int, how: Smoothing, pace: Pace) -> Tensor:
    """The mean of d logit / d x over the copies of x for which there is time (Smilkov et al. 2017,
    arXiv:1706.03825).
    """
    generator = torch.Generator().manual_seed(how.seed)
    scale = how.noise * float(x.max() - x.min())
    total, count = torch.zeros_like(x), 0
    with pace:
        for _ in pace.over(range(how.samples)):
            shake = torch.randn(x.shape, generator=generator).to(x)
            slope = gradient(watch, x + scale * shake, target)
            total, count = total + slope, count + 1
    return total / count
