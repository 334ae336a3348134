"""Wide residual nets for CIFAR-10; those for ImageNet stand beside ResNet-50."""

from __future__ import annotations

from netwright.blocks.attention import SqueezeExcite
from netwright.blocks.competitive import CompetitiveExcite
from netwright.blocks.preresnet import PreBasicBlock
from netwright.core.spec import Spec
from netwright.nets.options import need_counts
from netwright.nets.preresnet import preactivated_net
from netwright.nets.registry import net
from netwright.nets.resnet import COMPETITIVE, SENET, WIDE, stages
from netwright.nets.resnet_cifar import CIFAR, three_stages
from netwright.units.conv import Conv

__all__ = ["wide_resnet"]


@net("wrn16_8_cifar10", input=CIFAR, paper=WIDE, depth=16, widen=8)
@net("wrn16_10_cifar10", input=CIFAR, paper=WIDE, depth=16, widen=10)
@net("wrn28_10_cifar10", input=CIFAR, paper=WIDE, depth=28, widen=10)
@net("wrn40_4_cifar10", input=CIFAR, paper=WIDE, depth=40, widen=4)
@net("wrn40_8_cifar10", input=CIFAR, paper=WIDE, depth=40, widen=8)
@net(
    "se_wrn28_10_cifar10", input=CIFAR, paper=SENET, depth=28, widen=10,
    attention=SqueezeExcite(bias=False),
)  # fmt: skip
@net(
    "cmpe_se_wrn28_10_cifar10", input=CIFAR, paper=COMPETITIVE, depth=28, widen=10,
    attention=CompetitiveExcite(),
)  # fmt: skip
@net(
    "cmpe_se_wrn28_10_1x1_cifar10", input=CIFAR, paper=COMPETITIVE, depth=28, widen=10,
    attention=CompetitiveExcite(form="1x1"),
)  # fmt: skip
@net(
    "cmpe_se_wrn28_10_2x1_cifar10", input=CIFAR, paper=COMPETITIVE, depth=28, widen=10,
    attention=CompetitiveExcite(form="2x1"),
)  # fmt: skip
@net(
    "cmpe_se_wrn28_10_folded_cifar10", input=CIFAR, paper=COMPETITIVE, depth=28, widen=10,
    attention=CompetitiveExcite(form="folded"),
)  # fmt: skip
def wide_resnet(
    depth: int,
    widen: int,
    width: int = 16,
    dropout: float = 0.0,
    attention: Spec | None = None,
    classes: int = 10,
) -> Spec:
    """Table 1 of the paper, WRN-depth-widen: a 3x3 convolution, three stages of
    (depth - 4) / 6 pre-activated basic blocks, `widen` times as wide as a ResNet's.

    `dropout` stands between the two convolutions of a block; the paper has 0.3 for CIFAR.
    `attention` ends the bodies, without biases as in Hu et al. 2018, table 1.
    """
    need_counts(widen=widen)
    depths = three_stages(depth, layers=2, ends=4)
    parts = stages(depths, PreBasicBlock(width * widen, dropout=dropout, attention=attention))
    return preactivated_net(Conv(width, 3, bias=False), parts, classes)
