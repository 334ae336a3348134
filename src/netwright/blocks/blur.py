"""Anti-aliased max pooling (Zhang 2019, arXiv:1904.11486)."""

from __future__ import annotations

from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential
from netwright.units.blur import BlurPool
from netwright.units.pool import MaxPool

__all__ = ["MaxBlurPool"]


class MaxBlurPool(Block):
    """Max pooling at every position, then a blur that subsamples: (C, H, W) ->
    (C, ceil((H - k + 1 + 2p) / s), ...).

    The maximum does not care about shifts, its subsampling does; so that is blurred.

    >>> MaxBlurPool().expand((64, 112, 112))
    Sequential(max=MaxPool(stride=1), blur=BlurPool())
    """

    kernel: int = 2
    stride: int = 2
    padding: int = 0
    blur: int = 3

    def expand(self, x: Shape) -> Spec:
        return Sequential(
            max=MaxPool(self.kernel, 1, self.padding), blur=BlurPool(self.blur, self.stride)
        )
