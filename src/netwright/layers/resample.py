"""The way back from max pooling."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["MaxUnpool"]


class MaxUnpool(nn.Module):
    """Every value of `x` back to where the maximum of its window lies in `source`, zeros
    elsewhere: (N, C, h, w) and (N, C, H, W) -> (N, C, H, W) (Zeiler & Fergus 2013,
    arXiv:1311.2901; SegNet, Badrinarayanan et al. 2015, arXiv:1511.00561).

    `source` is what was max-pooled with the same `kernel_size`, windows side by side; the
    maxima are found again there, so no indices have to travel. It gets no gradient.
    """

    def __init__(self, kernel_size: tuple[int, ...] = (2, 2)) -> None:
        super().__init__()
        self.kernel_size = kernel_size

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[x.dim() - 3]
        _, at = pool(source.detach(), self.kernel_size, return_indices=True)  # type: ignore[misc]
        into = torch.zeros(source.shape, dtype=x.dtype, device=x.device)
        return into.flatten(2).scatter(2, at.flatten(2), x.flatten(2)).view(source.shape)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}"
