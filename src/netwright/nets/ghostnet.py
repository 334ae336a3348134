"""GhostNet."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.ghostnet import GhostBottleneck
from netwright.blocks.mobile import rounded
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.options import need_factors
from netwright.nets.registry import Paper, net
from netwright.units.activation import ReLU
from netwright.units.linear import Linear
from netwright.units.pool import GlobalAvgPool
from netwright.units.regularise import Dropout

__all__ = ["ghostnet"]

GHOSTNET = Paper(
    "GhostNet: More Features from Cheap Operations",
    "Han, Wang, Tian, Guo, Xu, Xu",
    2019,
    "1911.11907",
)
ROWS = (
    (3, 16, 16, False, 1), (3, 48, 24, False, 2), (3, 72, 24, False, 1), (5, 72, 40, True, 2),
    (5, 120, 40, True, 1), (3, 240, 80, False, 2), (3, 200, 80, False, 1), (3, 184, 80, False, 1),
    (3, 184, 80, False, 1), (3, 480, 112, True, 1), (3, 672, 112, True, 1), (5, 672, 160, True, 2),
    (5, 960, 160, False, 1), (5, 960, 160, True, 1), (5, 960, 160, False, 1),
    (5, 960, 160, True, 1),
)  # fmt: skip
"""Table 1 of the paper, with the authors' kernels: kernel, #exp, #out, SE, stride."""


@net("ghostnet_100", input=(3, 224, 224), paper=GHOSTNET)
def ghostnet(width: float = 1.0, dropout: float = 0.2, classes: int = 1000) -> Spec:
    """Table 1 of the paper: a 3x3 stem, sixteen ghost bottlenecks, a 1x1 convolution, a pooled
    head of two dense units.

    `width` multiplies the channels, rounded to multiples of 4. As in timm and the authors'
    code 5x5 kernels stand where MobileNetV3-large has them, and 20% dropout stands before the
    last dense unit.
    """
    need_factors(width=width)

    def wide(channels: int) -> int:
        return rounded(channels * width, 4)

    blocks = [
        GhostBottleneck(wide(out), wide(hidden), kernel, stride, se)
        for kernel, hidden, out, se, stride in ROWS
    ]
    return Sequential(
        stem=conv_norm_act(wide(16), 3, 2),
        body=Sequential(*blocks),
        last=conv_norm_act(wide(960), 1),
        head=Sequential(
            pool=GlobalAvgPool(),
            fc1=Linear(1280),
            act=ReLU(),
            drop=Dropout(dropout),
            fc2=Linear(classes),
        ),
    )
