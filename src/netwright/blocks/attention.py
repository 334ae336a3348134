"""Blocks that weigh channels and positions."""

from __future__ import annotations

from math import log2

from netwright.blocks.conv import ConvNormAct
from netwright.core.check import is_count, is_number
from netwright.core.shape import Shape, narrowed
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Gate, Sequential, Sum
from netwright.units.activation import Identity, ReLU, Sigmoid
from netwright.units.channels import Channels
from netwright.units.conv import Conv
from netwright.units.global_pool import ChannelMean, GlobalMaxPool, IntermapPool
from netwright.units.linear import Flatten, Linear, Reshape
from netwright.units.local import TiedGroupedConv
from netwright.units.norm import BatchNorm
from netwright.units.pool import GlobalAvgPool

__all__ = ["BAM", "CBAM", "ECA", "SqueezeExcite", "squeeze_excite"]


class CBAM(Block):
    """Channels are weighed, then positions: (C, H, W) -> (C, H, W) (Woo et al. 2018,
    arXiv:1807.06521).

    Channels by sigmoid(MLP(mean) + MLP(max)), one MLP of C to C / reduction to C
    (equation 2); positions by the sigmoid of a `kernel` x `kernel` convolution of the mean and
    the maximum over channels (equation 3), with the batch norm of the authors' code.
    """

    reduction: int = 16
    kernel: int = 7

    def check(self) -> None:
        is_count(self, "reduction")

    def expand(self, x: Shape) -> Spec:
        maps, narrow = x[0], narrowed(x[0], self.reduction)
        # mean and maximum are two groups of maps, so that one MLP can serve both
        channels = Sequential(
            pools=Concat(mean=GlobalAvgPool(keep=True), max=GlobalMaxPool(keep=True)),
            squeeze=TiedGroupedConv(2 * narrow, 1),
            act=ReLU(),
            expand=TiedGroupedConv(2 * maps, 1),
            both=Sum(mean=Channels(0, maps), max=Channels(maps, 2 * maps)),
            gate=Sigmoid(),
        )
        positions = Sequential(
            pools=Concat(max=IntermapPool(maps), mean=ChannelMean()),
            conv=ConvNormAct(1, self.kernel, act=None),
            gate=Sigmoid(),
        )
        return Sequential(
            channels=Gate(skip=Identity(), weights=channels),
            positions=Gate(skip=Identity(), weights=positions),
        )


class SqueezeExcite(Block):
    """x sigmoid(W2 ReLU(W1 mean(x))), a gate a channel: (C, H, W) -> (C, H, W).

    W1 squeezes C to C / reduction (Hu et al. 2017, arXiv:1709.01507, equations 2-4). As in
    public code W1 and W2 have biases, where the paper's equation leaves them out.

    reduction: channels over those of the squeeze
    bias: whether W1 and W2 have biases
    """

    reduction: int = 16
    bias: bool = True

    def check(self) -> None:
        is_count(self, "reduction")

    def expand(self, x: Shape) -> Spec:
        return squeeze_excite(x[0], narrowed(x[0], self.reduction), ReLU(), Sigmoid(), self.bias)


def squeeze_excite(channels: int, squeezed: int, act: Spec, gate: Spec, bias: bool = True) -> Gate:
    """A gate of so many channels, squeezed to any number between, with any activations."""
    excite = Sequential(
        pool=GlobalAvgPool(keep=True),
        squeeze=Conv(squeezed, 1, bias=bias),
        act=act,
        expand=Conv(channels, 1, bias=bias),
        gate=gate,
    )
    return Gate(skip=Identity(), excite=excite)


class ECA(Block):
    """x sigmoid(k taps over the channels' means), a gate a channel from its k neighbours
    alone: (C, H, W) -> (C, H, W) (Wang et al. 2019, arXiv:1910.03151).

    k is the odd number at or above |(log2 C + b) / gamma| (equation 12), as in timm at least
    3; k parameters in all.

    >>> ECA().kernel(64), ECA().kernel(512)
    (3, 5)
    """

    gamma: float = 2.0
    b: float = 1.0

    def check(self) -> None:
        is_number(self, "gamma", above=0)
        is_number(self, "b")

    def kernel(self, channels: int) -> int:
        """The taps for so many channels."""
        taps = int(abs((log2(channels) + self.b) / self.gamma))
        return max(3, taps + 1 - taps % 2)

    def expand(self, x: Shape) -> Spec:
        weights = Sequential(
            pool=GlobalAvgPool(),
            row=Reshape((1, x[0])),
            conv=Conv(1, self.kernel(x[0]), bias=False),
            flatten=Flatten(),
            gate=Sigmoid(),
        )
        return Gate(skip=Identity(), weights=weights)


class BAM(Block):
    """x (1 + sigmoid(channel(x) position(x))), put between stages: (C, H, W) -> (C, H, W).

    The channel branch is two dense units behind the mean, C to C / reduction to C; the
    position branch a 1x1, two dilated 3x3 and a 1x1 convolution to one map (Park et al. 2018,
    arXiv:1807.06514, figure 2). As in the authors' code the branches are multiplied, where
    the paper adds them.
    """

    reduction: int = 16
    dilation: int = 4

    def check(self) -> None:
        is_count(self, "reduction")

    def expand(self, x: Shape) -> Spec:
        narrow = narrowed(x[0], self.reduction)
        wide = ConvNormAct(narrow, 3, dilation=self.dilation, bias=True)
        channel = Sequential(
            pool=GlobalAvgPool(),
            squeeze=Linear(narrow),
            norm=BatchNorm(),
            act=ReLU(),
            expand=Linear(x[0]),
        )
        position = Sequential(
            reduce=ConvNormAct(narrow, 1, bias=True), conv1=wide, conv2=wide, conv3=Conv(1, 1)
        )
        weights = Sequential(both=Gate(channel=channel, position=position), gate=Sigmoid())
        return Sum(skip=Identity(), attended=Gate(skip=Identity(), weights=weights))
