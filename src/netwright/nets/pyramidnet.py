"""Pyramidal residual nets for CIFAR-10 and ImageNet."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm, conv_norm_act
from netwright.blocks.pyramid import PyramidBlock, PyramidBottleneck
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.options import need_counts, need_factors
from netwright.nets.preresnet import preactivated_net
from netwright.nets.registry import Paper, net
from netwright.nets.resnet import HUNDRED, IMAGENET, POOL
from netwright.nets.resnet_cifar import CIFAR, three_stages

__all__ = ["pyramidnet", "pyramidnet_cifar"]

PYRAMID = Paper("Deep Pyramidal Residual Networks", "Han, Kim, Kim", 2016, "1610.02915")


@net("pyramidnet110_a48_cifar10", input=CIFAR, paper=PYRAMID, depth=110, alpha=48)
@net("pyramidnet110_a84_cifar10", input=CIFAR, paper=PYRAMID, depth=110, alpha=84)
@net("pyramidnet110_a270_cifar10", input=CIFAR, paper=PYRAMID, depth=110, alpha=270)
@net(
    "pyramidnet164_a200_bn_cifar10", input=CIFAR, paper=PYRAMID, depth=164, alpha=200,
    bottleneck=True,
)  # fmt: skip
@net(
    "pyramidnet164_a270_bn_cifar10", input=CIFAR, paper=PYRAMID, depth=164, alpha=270,
    bottleneck=True,
)  # fmt: skip
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
    depths = three_stages(depth, layers=3 if bottleneck else 2)
    kind = PyramidBottleneck if bottleneck else PyramidBlock
    return preactivated_net(conv_norm(width), _stages(kind, width, alpha, depths), classes)


@net("pyramidnet101_a360", input=IMAGENET, paper=PYRAMID, depths=HUNDRED, alpha=360)
@net("pyramidnet200_a300", input=IMAGENET, paper=PYRAMID, depths=(3, 24, 36, 3), alpha=300)
@net("pyramidnet200_a450", input=IMAGENET, paper=PYRAMID, depths=(3, 24, 36, 3), alpha=450)
def pyramidnet(depths: tuple[int, ...], alpha: float, width: int = 64, classes: int = 1000) -> Spec:
    """The ImageNet nets of section 4.3: ResNet's stem, four stages of bottlenecks, each
    alpha / N wider than the one before it, a pooled head. Rounded as the CIFAR-10 nets.
    """
    need_counts(depths=depths)
    stem = Sequential(conv=conv_norm_act(width, 7, 2), pool=POOL)
    return preactivated_net(stem, _stages(PyramidBottleneck, width, alpha, depths), classes)


def _stages(
    kind: type[PyramidBlock | PyramidBottleneck], width: int, alpha: float, depths: tuple[int, ...]
) -> dict[str, Spec]:
    """`depths[i]` blocks for stage i; all but the first stage begin with stride 2."""
    need_factors(alpha=alpha)
    blocks = sum(depths)
    widths = iter([round(width + alpha * i / blocks) for i in range(1, blocks + 1)])
    parts: dict[str, Spec] = {}
    for i, count in enumerate(depths, 1):
        strides = [1 if i == 1 else 2] + [1] * (count - 1)
        parts[f"stage{i}"] = Sequential(*[kind(next(widths), stride) for stride in strides])
    return parts
