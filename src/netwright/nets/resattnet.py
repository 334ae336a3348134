"""Residual attention networks, for ImageNet and CIFAR-10."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.preresnet import PreBottleneck
from netwright.blocks.residual_attention import AttentionModule
from netwright.blocks.stage import Stage
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.activation import ReLU
from netwright.units.norm import BatchNorm
from netwright.units.pool import MaxPool

__all__ = ["resattnet", "resattnet_cifar"]

RESATTNET = Paper(
    "Residual Attention Network for Image Classification",
    "Wang, Jiang, Qian, Yang, Li, Zhang, Wang, Tang",
    2017,
    "1704.06904",
)


@net("resattnet56", input=(3, 224, 224), paper=RESATTNET, modules=(1, 1, 1))
@net("resattnet92", input=(3, 224, 224), paper=RESATTNET, modules=(1, 2, 3))
def resattnet(
    modules: tuple[int, int, int],
    width: int = 64,
    units: tuple[int, int, int] = (1, 2, 1),
    classes: int = 1000,
) -> Spec:
    """Table 2 of the paper: a 7x7 stem, three stages of a bottleneck and attention modules,
    three bottlenecks, norm and ReLU, a pooled head. `units` are the paper's p, t and r.

    The hourglasses halve three times in the first stage, twice in the second and once in the
    third, down to 7x7.
    """
    return Sequential(
        stem=Sequential(conv=conv_norm_act(width, 7, 2), pool=MaxPool(3, 2, padding=1)),
        **_stages(modules, width, units),
        stage4=Stage(PreBottleneck(8 * width), 3, stride=2),
        norm=BatchNorm(),
        act=ReLU(),
        head=pooled(classes),
    )


@net(
    "resattnet452_cifar10",
    input=(3, 32, 32),
    paper=RESATTNET,
    modules=(6, 6, 6),
    units=(2, 4, 2),
)
def resattnet_cifar(
    modules: tuple[int, int, int],
    width: int = 16,
    units: tuple[int, int, int] = (1, 2, 1),
    classes: int = 10,
) -> Spec:
    """Section 4.1 of the paper: a 3x3 stem, three stages of a bottleneck and attention modules
    down to 8x8, three bottlenecks, norm and ReLU, a pooled head.

    452 is the depth of the trunk. The paper does not print the widths; those of CIFAR's
    pre-activation ResNets come near its 1.9 and 5.1 million parameters with 2 and 6 modules a
    stage. For Attention-452 it has p = 2, t = 4, r = 3, which would make 10.3 million; r = 2
    makes 8.9, near its 8.6.
    """
    return Sequential(
        stem=conv_norm_act(width),
        **_stages(modules, width, units),
        stage4=Stage(PreBottleneck(4 * width), 3),
        norm=BatchNorm(),
        act=ReLU(),
        head=pooled(classes),
    )


def _stages(
    modules: tuple[int, int, int], width: int, units: tuple[int, int, int]
) -> dict[str, Spec]:
    """A bottleneck and attention modules a stage, twice as wide as the stage before and of
    hourglasses one size lower; all but the first begin with stride 2.
    """
    need_counts(modules=modules, units=units)
    parts: dict[str, Spec] = {}
    for i, count in enumerate(modules):
        first = PreBottleneck(width * 2**i, stride=min(i + 1, 2))
        attention = AttentionModule(3 - i, *units)
        parts[f"stage{i + 1}"] = Sequential(first, *[attention] * count)
    return parts
