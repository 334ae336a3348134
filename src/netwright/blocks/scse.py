"""Concurrent excitation of channels and positions (Roy et al. 2018, arXiv:1803.02579)."""

from __future__ import annotations

from netwright.blocks.attention import SqueezeExcite
from netwright.core.check import is_count
from netwright.core.shape import Shape, need_rank
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Gate, Sequential, Sum
from netwright.units.activation import Identity, Sigmoid
from netwright.units.conv import Conv

__all__ = ["CSE", "SCSE", "SSE"]


class CSE(Block):
    """cSE: x sigmoid(W1 ReLU(W2 z)), z the mean of every channel: spatial squeeze, channel
    excitation (section 2.1): (C, H, W) -> (C, H, W).

    Squeeze-excitation of Hu et al. 2017, that squeezes C to C / 2.

    >>> CSE().expand((64, 8, 8))
    SqueezeExcite(reduction=2)
    """

    reduction: int = 2

    def check(self) -> None:
        is_count(self, "reduction")

    def expand(self, x: Shape) -> Spec:
        need_rank("CSE", x, 3, 4)
        return SqueezeExcite(self.reduction)


class SSE(Block):
    """sSE: x sigmoid(q), q a 1x1 convolution of x to one map: channel squeeze, spatial
    excitation (section 2.2): (C, H, W) -> (C, H, W). C parameters and, as in the authors'
    code, a bias.

    >>> SSE().expand((64, 8, 8)).names
    ('skip', 'excite')
    """

    bias: bool = True

    def check(self) -> None:
        Conv(1, 1, bias=self.bias)

    def expand(self, x: Shape) -> Spec:
        need_rank("SSE", x, 3, 4)
        excite = Sequential(squeeze=Conv(1, 1, bias=self.bias), gate=Sigmoid())
        return Gate(skip=Identity(), excite=excite)


class SCSE(Block):
    """scSE: cSE(x) + sSE(x) (section 2.3): (C, H, W) -> (C, H, W).

    C^2 + 5/2 C + 1 parameters at reduction 2. The authors' later code takes the larger
    of the two where the paper adds them.

    >>> SCSE().expand((64, 8, 8)).names
    ('channels', 'positions')
    """

    reduction: int = 2

    def check(self) -> None:
        CSE(self.reduction)

    def expand(self, x: Shape) -> Spec:
        return Sum(channels=CSE(self.reduction), positions=SSE())
