"""Darknet-19 and Darknet-53, the bodies of YOLO's second and third version."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.darknet import DarkBlock
from netwright.blocks.stage import Stage
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.activation import LeakyReLU
from netwright.units.conv import Conv
from netwright.units.pool import GlobalAvgPool, MaxPool

__all__ = ["darknet19", "darknet53"]

YOLO9000 = Paper("YOLO9000: Better, Faster, Stronger", "Redmon, Farhadi", 2016, "1612.08242")
YOLO_V3 = Paper("YOLOv3: An Incremental Improvement", "Redmon, Farhadi", 2018, "1804.02767")
WIDTHS_19 = (
    (32,), (64,), (128, 64, 128), (256, 128, 256), (512, 256, 512, 256, 512),
    (1024, 512, 1024, 512, 1024),
)  # fmt: skip
"""Table 6 of the first paper: filters, 3x3 and 1x1 in turn, a maximum pool between the rows."""


@net("darknet19", input=(3, 224, 224), paper=YOLO9000)
def darknet19(slope: float = 0.1, classes: int = 1000) -> Spec:
    """Table 6 of the first paper: eighteen convolutions, 3x3 and 1x1 in turn, with five pools,
    then a 1x1 convolution to a map a class, averaged.

    `slope` is that of the leaky ReLU, 0.1 in the authors' code; the paper does not say.
    """
    act = LeakyReLU(slope)
    parts: dict[str, Spec] = {}
    for i, widths in enumerate(WIDTHS_19, 1):
        if i > 1:
            parts[f"pool{i - 1}"] = MaxPool(2)
        convs = [ConvNormAct(width, 1 if j % 2 else 3, act=act) for j, width in enumerate(widths)]
        parts[f"stage{i}"] = Sequential(*convs)
    head = Sequential(conv=Conv(classes, 1), pool=GlobalAvgPool())
    return Sequential(**parts, head=head)


@net("darknet53", input=(3, 256, 256), paper=YOLO_V3)
def darknet53(
    depths: tuple[int, ...] = (1, 2, 8, 8, 4),
    width: int = 32,
    slope: float = 0.01,
    classes: int = 1000,
) -> Spec:
    """Table 1 of the second paper: a 3x3 stem, five stages of residual blocks, each behind a
    3x3 convolution of stride 2 to twice the width, a pooled head.

    `slope` is that of the leaky ReLU: 0.01 as in timm, 0.1 in the authors' code.
    """
    need_counts(depths=depths, width=width)
    act = LeakyReLU(slope)
    stages = {
        f"stage{i}": Sequential(
            down=ConvNormAct(width * 2**i, 3, 2, act=act), blocks=Stage(DarkBlock(act), depth)
        )
        for i, depth in enumerate(depths, 1)
    }
    return Sequential(stem=ConvNormAct(width, 3, act=act), **stages, head=pooled(classes))
