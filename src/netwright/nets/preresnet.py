"""Residual nets with norm and activation first, for CIFAR-10 and ImageNet."""

from __future__ import annotations

from collections.abc import Mapping

from netwright.blocks.attention import SqueezeExcite
from netwright.blocks.conv import conv_norm_act
from netwright.blocks.preresnet import PreBasicBlock, PreBottleneck
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.registry import net
from netwright.nets.resnet import FIFTY, HUNDRED, IDENTITY, IMAGENET, POOL, SENET, stages
from netwright.nets.resnet_cifar import CIFAR, three_stages
from netwright.units.activation import ReLU
from netwright.units.conv import Conv
from netwright.units.norm import BatchNorm

__all__ = ["preactivated_net", "preresnet", "preresnet_cifar", "resnet_v2", "sepreresnet_cifar"]


@net("preresnet20_cifar10", input=CIFAR, paper=IDENTITY, depth=20)
@net("preresnet110_cifar10", input=CIFAR, paper=IDENTITY, depth=110)
@net("preresnet164bn_cifar10", input=CIFAR, paper=IDENTITY, depth=164, bottleneck=True)
@net("preresnet1001_cifar10", input=CIFAR, paper=IDENTITY, depth=1001, bottleneck=True)
def preresnet_cifar(
    depth: int, width: int = 16, bottleneck: bool = False, classes: int = 10
) -> Spec:
    """The CIFAR-10 nets of section 5: a 3x3 convolution, three stages of (depth - 2) / 6
    basic blocks or (depth - 2) / 9 bottlenecks, norm, ReLU, a pooled head.
    """
    depths = three_stages(depth, layers=3 if bottleneck else 2)
    block = PreBottleneck(width) if bottleneck else PreBasicBlock(width)
    return preactivated_net(Conv(width, 3, bias=False), stages(depths, block), classes)


@net("sepreresnet20_cifar10", input=CIFAR, paper=SENET, depth=20)
def sepreresnet_cifar(depth: int, width: int = 16, se: int = 16, classes: int = 10) -> Spec:
    """The basic net with squeeze-excitation, as pytorchcv builds it: norm and ReLU stand
    behind the first convolution, none before the head.
    """
    depths = three_stages(depth, layers=2)
    return Sequential(
        stem=conv_norm_act(width),
        **stages(depths, PreBasicBlock(width, attention=SqueezeExcite(se))),
        head=pooled(classes),
    )


@net("resnetv2_50", input=IMAGENET, paper=IDENTITY, depths=FIFTY)
@net("resnetv2_101", input=IMAGENET, paper=IDENTITY, depths=HUNDRED)
@net("resnetv2_152", input=IMAGENET, paper=IDENTITY, depths=(3, 8, 36, 3))
def resnet_v2(depths: tuple[int, ...], width: int = 64, classes: int = 1000) -> Spec:
    """ResNet-50 to -152 with norm and activation first: a 7x7 convolution and a pool, four
    stages of bottlenecks, norm, ReLU, a pooled head.

    The stride sits in the 3x3, as in timm.
    """
    stem = Sequential(conv=Conv(width, 7, 2, bias=False), pool=POOL)
    return preactivated_net(stem, stages(depths, PreBottleneck(width)), classes)


@net("preresnet18", input=IMAGENET, paper=IDENTITY, depths=(2, 2, 2, 2), basic=True)
@net("preresnet34", input=IMAGENET, paper=IDENTITY, depths=FIFTY, basic=True)
@net("preresnet50", input=IMAGENET, paper=IDENTITY, depths=FIFTY)
@net("preresnet101", input=IMAGENET, paper=IDENTITY, depths=HUNDRED)
@net("preresnet152", input=IMAGENET, paper=IDENTITY, depths=(3, 8, 36, 3))
@net("preresnet200", input=IMAGENET, paper=IDENTITY, depths=(3, 24, 36, 3))
def preresnet(
    depths: tuple[int, ...], basic: bool = False, width: int = 64, classes: int = 1000
) -> Spec:
    """The ImageNet nets of section 5, as pytorchcv builds them: norm and ReLU stand behind the
    first convolution too, and the stride of a bottleneck in its first 1x1.
    """
    stem = Sequential(conv=conv_norm_act(width, 7, 2), pool=POOL)
    block = PreBasicBlock(width) if basic else PreBottleneck(width, stride_in="1x1")
    return preactivated_net(stem, stages(depths, block), classes)


def preactivated_net(stem: Spec, parts: Mapping[str, Spec], classes: int) -> Sequential:
    """Stem, stages, the norm and ReLU that the last block lacks, a pooled head."""
    return Sequential(stem=stem, **parts, norm=BatchNorm(), act=ReLU(), head=pooled(classes))
