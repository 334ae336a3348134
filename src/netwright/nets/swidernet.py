"""SWideRNet: wide residual nets scaled in width and depth."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.resnet import BasicBlock
from netwright.blocks.stage import Stage
from netwright.blocks.swidernet import WideningBottleneck
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_factors
from netwright.nets.registry import Paper, net

__all__ = ["swidernet"]

SWIDERNET = Paper(
    "Scaling Wide Residual Networks for Panoptic Segmentation",
    "Chen, Wang, Qiao",
    2020,
    "2011.11675",
)
IMAGENET = (3, 224, 224)


@net("swidernet_1_1_1", input=IMAGENET, paper=SWIDERNET, stem=1, width=1, depth=1)
@net("swidernet_1_1_3", input=IMAGENET, paper=SWIDERNET, stem=1, width=1, depth=3)
@net("swidernet_1_1_4_5", input=IMAGENET, paper=SWIDERNET, stem=1, width=1, depth=4.5)
def swidernet(
    stem: float, width: float, depth: float, attention: Spec | None = None, classes: int = 1000
) -> Spec:
    """SWideRNet-(w1, w2, l) (section 3.2 of the paper): a 3x3 stem of 64 w1 channels, a stage
    of basic blocks 128 w1 wide, three of 256 w2, 512 w2 and 1024 w2 of 3 l, 6 l and 3 l, and
    3 l bottlenecks of 512, 1024 and 2048 w2, all scaled down to integers.

    `stem`, `width` and `depth` are w1, w2 and l; (1, 1, 1) is Wide-ResNet-41. `attention` ends
    the bodies of the last four stages; the paper has squeeze-excitation there, and switchable
    atrous convolutions. As in the authors' code a stage begins with its stride, where the
    paper ends with it, and no pool follows the stem.
    """
    need_factors(stem=stem, width=width, depth=depth)

    def wide(channels: int) -> BasicBlock:
        return BasicBlock(max(1, round(channels * width)), attention=attention)

    few, many = max(1, int(3 * depth)), max(1, int(6 * depth))
    last = WideningBottleneck(max(1, round(512 * width)), attention=attention)
    return Sequential(
        stem=conv_norm_act(max(1, round(64 * stem)), 3, 2),
        stage1=Stage(BasicBlock(max(1, round(128 * stem))), 3),
        stage2=Stage(wide(256), few, stride=2),
        stage3=Stage(wide(512), many, stride=2),
        stage4=Stage(wide(1024), few, stride=2),
        stage5=Stage(last, few, stride=2),
        head=pooled(classes),
    )
