"""SENet-154, and Inception nets with squeeze-excitation; SE-ResNets stand beside ResNet-50."""

from __future__ import annotations

from netwright.blocks.attention import SqueezeExcite
from netwright.blocks.conv import conv_norm_act
from netwright.blocks.senet import SENetBottleneck
from netwright.core.net import Net
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.attended import attended
from netwright.nets.heads import pooled
from netwright.nets.inception import bn_inception
from netwright.nets.inception_resnet import inception_resnet_v2
from netwright.nets.registry import net
from netwright.nets.resnet import CEIL_POOL, IMAGENET, SENET, stages

__all__ = ["se_bn_inception", "se_inception_resnet_v2", "senet"]


@net("senet154", input=IMAGENET, paper=SENET, depths=(3, 8, 36, 3))
def senet(
    depths: tuple[int, ...],
    width: int = 64,
    groups: int = 64,
    reduction: int = 16,
    classes: int = 1000,
) -> Spec:
    """The appendix of the paper: three 3x3 convolutions, a pool rounded up, four stages of
    `SENetBottleneck`, 20% dropout before the classifier. As in timm's `legacy_senet154`.
    """
    stem = Sequential(
        conv1=conv_norm_act(width, 3, 2),
        conv2=conv_norm_act(width),
        conv3=conv_norm_act(2 * width),
        pool=CEIL_POOL,
    )
    block = SENetBottleneck(width, groups=groups, reduction=reduction)
    return Sequential(stem=stem, **stages(depths, block), head=pooled(classes, dropout=0.2))


@net("se_bn_inception", input=IMAGENET, paper=SENET)
def se_bn_inception(reduction: int = 16, classes: int = 1000) -> Spec:
    """BN-Inception with a squeeze-excitation behind every Inception block (section 3)."""
    plain = Net(bn_inception(classes), IMAGENET)
    return attended(plain, SqueezeExcite(reduction)).spec


@net("se_inception_resnet_v2", input=(3, 299, 299), paper=SENET)
def se_inception_resnet_v2(
    depths: tuple[int, ...] = (10, 20, 9), reduction: int = 16, classes: int = 1000
) -> Spec:
    """Inception-ResNet-v2 with a squeeze-excitation at the end of every residual body, and
    behind its Inception blocks.
    """
    plain = Net(inception_resnet_v2(depths, classes), (3, 299, 299))
    return attended(plain, SqueezeExcite(reduction)).spec
