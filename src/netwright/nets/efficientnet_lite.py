"""EfficientNet-Lite0 to Lite4."""

from __future__ import annotations

from math import ceil

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.mobile import InvertedResidual
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.efficientnet import AUTHORS, STAGES, stages
from netwright.nets.heads import pooled
from netwright.nets.options import need_factors
from netwright.nets.registry import Paper, net
from netwright.units.activation import ReLU6

__all__ = ["efficientnet_lite"]

LITE = Paper("Higher accuracy on vision models with EfficientNet-Lite", "Liu", 2020)


@net("efficientnet_lite0", input=(3, 224, 224), paper=LITE)
@net("efficientnet_lite1", input=(3, 240, 240), paper=LITE, depth=1.1)
@net("efficientnet_lite2", input=(3, 260, 260), paper=LITE, width=1.1, depth=1.2, dropout=0.3)
@net("efficientnet_lite3", input=(3, 280, 280), paper=LITE, width=1.2, depth=1.4, dropout=0.3)
@net("efficientnet_lite4", input=(3, 300, 300), paper=LITE, width=1.4, depth=1.8, dropout=0.3)
def efficientnet_lite(
    width: float = 1.0,
    depth: float = 1.0,
    dropout: float = 0.2,
    drop_path: float = 0.2,
    classes: int = 1000,
) -> Spec:
    """EfficientNet for small devices, as the authors' code has it: without squeeze-excitation,
    ReLU6 for SiLU; the stem, the 1280 channels at the end and the layers of the first and the
    last stage are never scaled.

    `width` multiplies the channels between, rounded to multiples of 8, `depth` the layers of the
    five stages between, rounded up. Sizes are the authors'; timm's weights of Lite3 and Lite4
    are for images of 300 and 380. Padding is TensorFlow's: what it adds depends on the size of
    the maps, so that a net is built for one size of images.
    """
    need_factors(width=width, depth=depth)
    scaled = [ceil(layers * depth) for _, _, _, layers, _ in STAGES[1:-1]]
    depths = [STAGES[0][3], *scaled, STAGES[-1][3]]
    return Sequential(
        stem=ConvNormAct(32, 3, 2, "tight", norm=AUTHORS, act=ReLU6()),
        **stages(InvertedResidual(1, norm=AUTHORS, padding="tight"), width, depths, drop_path),
        last=ConvNormAct(1280, 1, norm=AUTHORS, act=ReLU6()),
        head=pooled(classes, dropout),
    )
