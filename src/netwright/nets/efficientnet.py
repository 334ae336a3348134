"""EfficientNet-B0 to B7."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.mobile import InvertedResidual, MBConv, rounded
from netwright.blocks.stage import Stage
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_factors
from netwright.nets.registry import Paper, net
from netwright.units.activation import SiLU
from netwright.units.norm import BatchNorm

__all__ = ["AUTHORS", "STAGES", "efficientnet", "stages"]

EFFICIENTNET = Paper(
    "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    "Tan, Le",
    2019,
    "1905.11946",
)
STAGES = (
    (1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 5, 40, 2, 2), (6, 3, 80, 3, 2), (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2), (6, 3, 320, 1, 1),
)  # fmt: skip
"""Table 1 of the paper: expansion, kernel, channels, layers, stride of the first."""
TORCH = BatchNorm()
AUTHORS = BatchNorm(eps=1e-3, momentum=0.01)
"""The batch norm of the authors' code."""


@net("efficientnet_b0", input=(3, 224, 224), paper=EFFICIENTNET)
@net("efficientnet_b1", input=(3, 240, 240), paper=EFFICIENTNET, depth=1.1)
@net("efficientnet_b2", input=(3, 260, 260), paper=EFFICIENTNET, width=1.1, depth=1.2, dropout=0.3)
@net("efficientnet_b3", input=(3, 300, 300), paper=EFFICIENTNET, width=1.2, depth=1.4, dropout=0.3)
@net("efficientnet_b4", input=(3, 380, 380), paper=EFFICIENTNET, width=1.4, depth=1.8, dropout=0.4)
@net("efficientnet_b5", input=(3, 456, 456), paper=EFFICIENTNET, width=1.6, depth=2.2, dropout=0.4,
     norm=AUTHORS)  # fmt: skip
@net("efficientnet_b6", input=(3, 528, 528), paper=EFFICIENTNET, width=1.8, depth=2.6, dropout=0.5,
     norm=AUTHORS)  # fmt: skip
@net("efficientnet_b7", input=(3, 600, 600), paper=EFFICIENTNET, width=2.0, depth=3.1, dropout=0.5,
     norm=AUTHORS)  # fmt: skip
def efficientnet(
    width: float = 1.0,
    depth: float = 1.0,
    dropout: float = 0.2,
    drop_path: float = 0.2,
    norm: Spec = TORCH,
    classes: int = 1000,
) -> Spec:
    """Table 1 of the paper scaled as in its section 3.3: a 3x3 stem, seven stages of MBConv, a
    1x1 convolution to four times the channels, a pooled head.

    `width` multiplies the channels, rounded to multiples of 8, `depth` the layers of every
    stage, rounded up; the names have the coefficients and sizes that the authors published.
    Stochastic depth rises from 0 towards `drop_path`. Batch norm is torchvision's: that of the
    authors (eps 0.001) in B5 to B7 only.
    """
    need_factors(width=width, depth=depth)
    depths = [ceil(layers * depth) for _, _, _, layers, _ in STAGES]
    last = 4 * rounded(STAGES[-1][2] * width)
    return Sequential(
        stem=ConvNormAct(rounded(32 * width), 3, 2, norm=norm, act=SiLU()),
        **stages(MBConv(1, norm=norm), width, depths, drop_path),
        last=ConvNormAct(last, 1, norm=norm, act=SiLU()),
        head=pooled(classes, dropout),
    )


def stages(
    block: MBConv | InvertedResidual, width: float, depths: Sequence[int], drop_path: float
) -> dict[str, Spec]:
    """The stages of table 1 of such blocks, `depths` layers each: `width` multiplies their
    channels, stochastic depth rises from 0 towards `drop_path`.
    """
    rates = [drop_path * i / sum(depths) for i in range(sum(depths))]
    stages: dict[str, Spec] = {}
    for i, (expansion, kernel, channels, _, stride) in enumerate(STAGES):
        wide = replace(block, width=rounded(channels * width), expansion=expansion, kernel=kernel)
        before = sum(depths[:i])
        drop = (rates[before], rates[before + depths[i] - 1])
        stages[f"stage{i + 1}"] = Stage(wide, depths[i], stride, drop)
    return stages
