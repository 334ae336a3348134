"""Normalisation PyTorch lacks: over channels alone, over neighbours, mixed, over ghosts."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "ChannelLayerNorm",
    "GhostBatchNorm1d",
    "GhostBatchNorm2d",
    "GhostBatchNorm3d",
    "SpatialResponseNorm",
    "SwitchableNorm",
    "ghost_batch_norm",
]

_AVG_POOL = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)


class ChannelLayerNorm(nn.LayerNorm):
    """`nn.LayerNorm` over the channels of every position: (N, C, ...) -> the same."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.movedim(1, -1)).movedim(-1, 1)


class SpatialResponseNorm(nn.Module):
    """x / (k + alpha mean of x^2 over `size` neighbouring positions an axis)^beta, zeros beyond
    the border counted: (N, C, H, W) -> the same.
    """

    def __init__(
        self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
    ) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        rank = x.dim() - 2
        squares = F.pad(x.square(), (self.size // 2, (self.size - 1) // 2) * rank)
        mean = _AVG_POOL[rank - 1](squares, self.size, 1)
        return x / (self.k + self.alpha * mean) ** self.beta

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class SwitchableNorm(nn.Module):
    """Centres by a mix of the means of instance, layer and batch normalisation, scales by a mix
    of their variances: (N, C, ...) -> the same (Luo et al. 2018, arXiv:1806.10779).

    The two mixes are softmaxes of `mean_mix` and `var_mix`, three numbers each in this order.
    In evaluation the batch's part are running averages, kept as `nn.BatchNorm2d` keeps them.
    """

    weight: nn.Parameter | None
    bias: nn.Parameter | None
    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self, channels: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = True
    ) -> None:
        super().__init__()
        self.channels, self.eps, self.momentum, self.affine = channels, eps, momentum, affine
        self.mean_mix = nn.Parameter(torch.zeros(3))
        self.var_mix = nn.Parameter(torch.zeros(3))
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        if not len(x):  # no mean, which would be NaN in the running ones for ever
            return x
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        flat = wide.flatten(2)
        var_in, mean_in = torch.var_mean(flat, 2, correction=0)  # (N, C)
        # The variance of a union is the mean of the variances and the variance of the means.
        var_ln, mean_ln = _pooled(var_in, mean_in, 1)  # (N, 1)
        var_bn, mean_bn = self._over_batch(var_in, mean_in, flat.shape[0] * flat.shape[2])
        means, variances = self.mean_mix.softmax(0), self.var_mix.softmax(0)
        mean = means[0] * mean_in + means[1] * mean_ln + means[2] * mean_bn
        var = variances[0] * var_in + variances[1] * var_ln + variances[2] * var_bn
        scale = torch.rsqrt(var + self.eps)
        if self.weight is not None:
            scale = scale * self.weight
        shift = -mean * scale
        if self.bias is not None:
            shift = shift + self.bias
        return (flat * scale[..., None] + shift[..., None]).view(x.shape).to(x.dtype)

    def _over_batch(self, var: Tensor, mean: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Variance and mean of every channel over the batch: (1, C); running ones outside
        training.
        """
        if not self.training:
            return self.running_var[None], self.running_mean[None]
        var, mean = _pooled(var, mean, 0)
        with torch.no_grad():
            self.running_mean.lerp_(mean[0].to(self.running_mean.dtype), self.momentum)
            unbiased = var[0] * (count / max(count - 1, 1))
            self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)
        return var, mean

    def extra_repr(self) -> str:
        return f"{len(self.running_mean)}, eps={self.eps}, momentum={self.momentum}"


def _pooled(var: Tensor, mean: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Variance and mean of groups of equal size, put together along `axis`."""
    spread, pooled = torch.var_mean(mean, axis, correction=0, keepdim=True)
    return var.mean(axis, keepdim=True) + spread, pooled


class _Ghosts:
    """In training, batch normalisation of parts of at most `size` images, each for itself;
    the running averages take part after part (Hoffer et al. 2017, arXiv:1705.08741).

    A batch that `size` does not divide is cut into parts as equal as can be; on maps of one
    position they have two images at least, as a single value has no variance.
    """

    def __init__(
        self,
        num_features: int,
        size: int = 32,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine)  # type: ignore[call-arg]
        self.size = size

    def forward(self, input: Tensor) -> Tensor:
        normalise = super().forward  # type: ignore[misc]
        if not self.training:  # type: ignore[attr-defined]
            return normalise(input)
        ghosts = max(1, -(-len(input) // self.size))
        if prod(input.shape[2:]) == 1:
            ghosts = min(ghosts, max(1, len(input) // 2))
        return torch.cat([normalise(part) for part in input.tensor_split(ghosts)])

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, size={self.size}"  # type: ignore[misc]


class GhostBatchNorm1d(_Ghosts, nn.BatchNorm1d):
    """`nn.BatchNorm1d` over ghost batches."""


class GhostBatchNorm2d(_Ghosts, nn.BatchNorm2d):
    """`nn.BatchNorm2d` over ghost batches."""


class GhostBatchNorm3d(_Ghosts, nn.BatchNorm3d):
    """`nn.BatchNorm3d` over ghost batches."""


ghost_batch_norm = (GhostBatchNorm1d, GhostBatchNorm2d, GhostBatchNorm3d)
"""By the number of axes, less one."""
