"""MobileNet, first and second version."""

from __future__ import annotations

from math import ceil

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.mobile import InvertedResidual, rounded
from netwright.blocks.separable import SeparableConv
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_factors
from netwright.nets.registry import Paper, net
from netwright.units.activation import ReLU6

__all__ = ["mobilenet_v1", "mobilenet_v2"]

MOBILENET_V1 = Paper(
    "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    "Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam",
    2017,
    "1704.04861",
)
MOBILENET_V2 = Paper(
    "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
    "Sandler, Howard, Zhu, Zhmoginov, Chen",
    2018,
    "1801.04381",
)
IMAGENET = (3, 224, 224)
STAGES_V1 = ((64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2))
"""Table 1 of the first paper: width, repeats, stride of the first."""
STAGES_V2 = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
)  # fmt: skip
"""Table 2 of the second paper: expansion t, width c, repeats n, stride s of the first."""


@net("mobilenet_v1", input=IMAGENET, paper=MOBILENET_V1)
@net("mobilenet_v1_x0_75", input=IMAGENET, paper=MOBILENET_V1, width=0.75)
@net("mobilenet_v1_x0_5", input=IMAGENET, paper=MOBILENET_V1, width=0.5)
@net("mobilenet_v1_x0_25", input=IMAGENET, paper=MOBILENET_V1, width=0.25)
def mobilenet_v1(width: float = 1.0, depth: float = 1.0, classes: int = 1000) -> Spec:
    """Table 1 of the paper: a 3x3 stem, thirteen separable convolutions, a pooled head.

    `width` multiplies the channels (the paper's alpha), rounded to multiples of 8; `depth`
    the repeats of every stage, rounded up. ReLU6 as in the authors' code and timm, where
    the paper writes ReLU; the paper's last stride of 2 at 7x7 is a misprint for 1.

    >>> mobilenet_v1(width=0.5)["stem"].width
    16
    """
    need_factors(width=width, depth=depth)

    def stage(channels: int, repeats: int, stride: int) -> Sequential:
        wide = rounded(channels * width)
        strides = [stride] + [1] * (ceil(repeats * depth) - 1)
        return Sequential(*[SeparableConv(wide, stride=stride) for stride in strides])

    return Sequential(
        stem=ConvNormAct(rounded(32 * width), 3, 2, act=ReLU6()),
        **{f"stage{i}": stage(*row) for i, row in enumerate(STAGES_V1, 1)},
        head=pooled(classes),
    )


@net("mobilenet_v2", input=IMAGENET, paper=MOBILENET_V2)
def mobilenet_v2(
    width: float = 1.0, depth: float = 1.0, dropout: float = 0.2, classes: int = 1000
) -> Spec:
    """Table 2 of the paper: a 3x3 stem, seven stages of inverted residuals, a 1x1
    convolution to 1280 channels, a pooled head.

    `width` multiplies the channels, rounded to multiples of 8 (the last 1280 only where it
    is above 1); `depth` the repeats of every stage, rounded up. 20% dropout before the dense
    unit as in torchvision, which the paper does not speak of.
    """
    need_factors(width=width, depth=depth)

    def stage(expansion: int, channels: int, repeats: int, stride: int) -> Sequential:
        wide = rounded(channels * width)
        strides = [stride] + [1] * (ceil(repeats * depth) - 1)
        return Sequential(*[InvertedResidual(wide, stride, expansion) for stride in strides])

    return Sequential(
        stem=ConvNormAct(rounded(32 * width), 3, 2, act=ReLU6()),
        **{f"stage{i}": stage(*row) for i, row in enumerate(STAGES_V2, 1)},
        last=ConvNormAct(rounded(1280 * max(1.0, width)), 1, act=ReLU6()),
        head=pooled(classes, dropout),
    )
