"""Xception."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.separable import SeparableConv
from netwright.blocks.stage import Stage
from netwright.blocks.xception import XceptionBlock
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.activation import ReLU

__all__ = ["xception"]

XCEPTION = Paper(
    "Xception: Deep Learning with Depthwise Separable Convolutions", "Chollet", 2016, "1610.02357"
)


@net("xception", input=(3, 299, 299), paper=XCEPTION)
def xception(depth: int = 8, classes: int = 1000) -> Spec:
    """Figure 5 of the paper: entry flow, `depth` middle blocks, exit flow, a pooled head.

    As in timm the maximum pools pad one position on every side; the paper's code pads the end
    alone where that suffices.
    """
    need_counts(depth=depth)
    entry = Sequential(
        conv1=ConvNormAct(32, 3, 2, "valid"),
        conv2=ConvNormAct(64, 3, padding="valid"),
        block1=XceptionBlock((128, 128), 2, act_first=False),
        block2=XceptionBlock((256, 256), 2),
        block3=XceptionBlock((728, 728), 2),
    )
    last = Sequential(
        block=XceptionBlock((728, 1024), 2),
        conv1=SeparableConv(1536, between=False, act=ReLU()),
        conv2=SeparableConv(2048, between=False, act=ReLU()),
    )
    middle = Stage(XceptionBlock((728, 728, 728)), depth)
    return Sequential(entry=entry, middle=middle, exit=last, head=pooled(classes))
