"""Pyramidal residual nets for CIFAR-10."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm
from netwright.blocks.pyramid import PyramidBlock, PyramidBottleneck
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.options import need_factors
from netwright.nets.preresnet import preactivated_net
from netwright.nets.resnet_cifar import CIFAR, three_stages
from netwright.registry import Paper, net

__all__ = ["pyramidnet_cifar"]

PYRAMID = Paper("Deep Pyramidal Residual Networks", "Han, Kim, Kim", 2016, "1610.02915")


@net("pyramidnet110_a48_cifar10", input=CIFAR, paper=PYRAMID, depth=110, alpha=48)
@net("pyramidnet110_a84_cifar10", input=CIFAR, paper=PYRAMID, depth=110, alpha=84)
@net("pyramidnet110_a270_cifar10", input=CIFAR, paper=PYRAMID, depth=110, alpha=270)
@net(
    "pyramidnet272_a200_bn_cifar10", input=CIFAR, paper=PYRAMID, depth=272, alpha=200,
    bottleneck=True,
)  # fmt: skip
def pyramidnet_cifar(
    depth: int, alpha: float, width: int = 16, bottleneck: bool = False, classes: int = 10
) -> Spec:
    """Equation 3 of the paper: a 3x3 stem, three stages of N / 3 blocks each, a pooled head.
    Every block is alpha / N channels wider than the one before it.

    Widths are rounded to the nearest, as in pytorchcv; the paper rounds down.
    """
    need_factors(alpha=alpha)
    depths = three_stages(depth, layers=3 if bottleneck else 2)
    kind = PyramidBottleneck if bottleneck else PyramidBlock
    widths = iter(_widths(width, alpha, sum(depths)))
    parts: dict[str, Spec] = {}
    for i, count in enumerate(depths, 1):
        strides = [1 if i == 1 else 2] + [1] * (count - 1)
        parts[f"stage{i}"] = Sequential(*[kind(next(widths), stride) for stride in strides])
    return preactivated_net(conv_norm(width), parts, classes)


def _widths(width: int, alpha: float, blocks: int) -> list[int]:
    return [round(width + alpha * i / blocks) for i in range(1, blocks + 1)]
