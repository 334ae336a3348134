"""MobileNet, third version: small and large."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.mobile import MobileNetV3Block, rounded
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.options import need_factors
from netwright.nets.registry import Paper, net
from netwright.units.activation import HardSwish, ReLU
from netwright.units.linear import Linear
from netwright.units.norm import BatchNorm
from netwright.units.pool import GlobalAvgPool
from netwright.units.regularise import Dropout

__all__ = ["mobilenet_v3"]

MOBILENET_V3 = Paper(
    "Searching for MobileNetV3",
    "Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam",
    2019,
    "1905.02244",
)
IMAGENET = (3, 224, 224)
Row = tuple[int, int, int, bool, str, int]
LARGE: tuple[Row, ...] = (
    (3, 16, 16, False, "RE", 1), (3, 64, 24, False, "RE", 2), (3, 72, 24, False, "RE", 1),
    (5, 72, 40, True, "RE", 2), (5, 120, 40, True, "RE", 1), (5, 120, 40, True, "RE", 1),
    (3, 240, 80, False, "HS", 2), (3, 200, 80, False, "HS", 1), (3, 184, 80, False, "HS", 1),
    (3, 184, 80, False, "HS", 1), (3, 480, 112, True, "HS", 1), (3, 672, 112, True, "HS", 1),
    (5, 672, 160, True, "HS", 2), (5, 960, 160, True, "HS", 1), (5, 960, 160, True, "HS", 1),
)  # fmt: skip
"""Table 1 of the paper: kernel, exp size, #out, SE, NL, s."""
SMALL: tuple[Row, ...] = (
    (3, 16, 16, True, "RE", 2), (3, 72, 24, False, "RE", 2), (3, 88, 24, False, "RE", 1),
    (5, 96, 40, True, "HS", 2), (5, 240, 40, True, "HS", 1), (5, 240, 40, True, "HS", 1),
    (5, 120, 48, True, "HS", 1), (5, 144, 48, True, "HS", 1), (5, 288, 96, True, "HS", 2),
    (5, 576, 96, True, "HS", 1), (5, 576, 96, True, "HS", 1),
)  # fmt: skip
"""Table 2 of the paper, the same columns."""


@net("mobilenet_v3_large", input=IMAGENET, paper=MOBILENET_V3, rows=LARGE, hidden=1280)
@net("mobilenet_v3_small", input=IMAGENET, paper=MOBILENET_V3, rows=SMALL, hidden=1024)
def mobilenet_v3(
    rows: tuple[Row, ...],
    hidden: int,
    width: float = 1.0,
    dropout: float = 0.2,
    classes: int = 1000,
) -> Spec:
    """Tables 1 and 2 of the paper: a 3x3 stem, searched inverted residuals, a 1x1 convolution
    to six times the channels, a pooled head of two dense units.

    `width` multiplies the channels, rounded to multiples of 8. As in torchvision the small
    net has no squeeze-excitation behind that last convolution, where the paper's table 2 has
    one, and 20% dropout stands before the last dense unit.
    """
    need_factors(width=width)
    norm = BatchNorm(eps=1e-3, momentum=0.01)
    acts = {"RE": ReLU(), "HS": HardSwish()}

    def block(kernel: int, hidden: int, out: int, se: bool, act: str, stride: int) -> Spec:
        wide = rounded(hidden * width)
        return MobileNetV3Block(rounded(out * width), wide, kernel, stride, se, acts[act], norm)

    return Sequential(
        stem=ConvNormAct(rounded(16 * width), 3, 2, norm=norm, act=HardSwish()),
        body=Sequential(*[block(*row) for row in rows]),
        last=ConvNormAct(6 * rounded(rows[-1][2] * width), 1, norm=norm, act=HardSwish()),
        head=Sequential(
            pool=GlobalAvgPool(),
            fc1=Linear(rounded(hidden * width)),
            act=HardSwish(),
            drop=Dropout(dropout),
            fc2=Linear(classes),
        ),
    )
