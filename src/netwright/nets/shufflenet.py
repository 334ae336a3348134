"""ShuffleNet, first and second version."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.shufflenet import ShuffleUnit, ShuffleUnitV2
from netwright.blocks.stage import Stage
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.pool import MaxPool

__all__ = ["shufflenet", "shufflenet_v2"]

SHUFFLENET = Paper(
    "ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices",
    "Zhang, Zhou, Lin, Sun",
    2017,
    "1707.01083",
)
SHUFFLENET_V2 = Paper(
    "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
    "Ma, Zhang, Zheng, Sun",
    2018,
    "1807.11164",
)
IMAGENET = (3, 224, 224)
DEPTHS = (4, 8, 4)
"""Units of stages 2 to 4, the same in both papers."""


@net("shufflenet_g1_w1", input=IMAGENET, paper=SHUFFLENET, groups=1, width=144)
@net("shufflenet_g2_w1", input=IMAGENET, paper=SHUFFLENET, groups=2, width=200)
@net("shufflenet_g3_w1", input=IMAGENET, paper=SHUFFLENET, groups=3, width=240)
@net("shufflenet_g4_w1", input=IMAGENET, paper=SHUFFLENET, groups=4, width=272)
@net("shufflenet_g8_w1", input=IMAGENET, paper=SHUFFLENET, groups=8, width=384)
def shufflenet(groups: int, width: int, classes: int = 1000) -> Spec:
    """Table 1 of the paper: a 3x3 stem of 24 channels, three stages of shuffle units, a pooled
    head; `width` is that of stage 2 and doubles with every stage.

    The first 1x1 convolution of stage 2 has no groups. As in pytorchcv.
    """
    need_counts(groups=groups, width=width)

    def stage(i: int) -> Sequential:
        unit = ShuffleUnit(width * 2**i, groups)
        first = ShuffleUnit(width * 2**i, groups, stride=2, grouped=i > 0)
        return Sequential(first, *[unit] * (DEPTHS[i] - 1))

    return Sequential(
        stem=_stem(), **{f"stage{i + 2}": stage(i) for i in range(3)}, head=pooled(classes)
    )


@net("shufflenet_v2_x0_5", input=IMAGENET, paper=SHUFFLENET_V2, widths=(48, 96, 192, 1024))
@net("shufflenet_v2_x1_0", input=IMAGENET, paper=SHUFFLENET_V2, widths=(116, 232, 464, 1024))
@net("shufflenet_v2_x1_5", input=IMAGENET, paper=SHUFFLENET_V2, widths=(176, 352, 704, 1024))
@net("shufflenet_v2_x2_0", input=IMAGENET, paper=SHUFFLENET_V2, widths=(244, 488, 976, 2048))
def shufflenet_v2(widths: tuple[int, int, int, int], classes: int = 1000) -> Spec:
    """Table 5 of the paper: a 3x3 stem of 24 channels, three stages of shuffle units, a 1x1
    convolution, a pooled head; `widths` are those of the stages and of that convolution.

    """
    need_counts(widths=widths)
    *wide, last = widths
    stages = {
        f"stage{i}": Stage(ShuffleUnitV2(width), depth, stride=2)
        for i, (width, depth) in enumerate(zip(wide, DEPTHS, strict=True), 2)
    }
    return Sequential(stem=_stem(), **stages, last=conv_norm_act(last, 1), head=pooled(classes))


def _stem() -> Sequential:
    return Sequential(conv=conv_norm_act(24, 3, 2), pool=MaxPool(3, 2, padding=1))
