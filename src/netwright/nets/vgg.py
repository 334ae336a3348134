"""VGG-11 to VGG-19, without and with batch normalisation and squeeze-excitation."""

from __future__ import annotations

from netwright.blocks.vgg import VggBlock
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import dense
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.nets.resnet import SENET
from netwright.units.norm import BatchNorm

__all__ = ["vgg"]

VGG = Paper(
    "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    "Simonyan, Zisserman",
    2014,
    "1409.1556",
)
IMAGENET = (3, 224, 224)


@net("vgg11", input=IMAGENET, paper=VGG, depths=(1, 1, 2, 2, 2))
@net("vgg13", input=IMAGENET, paper=VGG, depths=(2, 2, 2, 2, 2))
@net("vgg16", input=IMAGENET, paper=VGG, depths=(2, 2, 3, 3, 3))
@net("vgg19", input=IMAGENET, paper=VGG, depths=(2, 2, 4, 4, 4))
@net("vgg11_bn", input=IMAGENET, paper=VGG, depths=(1, 1, 2, 2, 2), norm=BatchNorm())
@net("vgg13_bn", input=IMAGENET, paper=VGG, depths=(2, 2, 2, 2, 2), norm=BatchNorm())
@net("vgg16_bn", input=IMAGENET, paper=VGG, depths=(2, 2, 3, 3, 3), norm=BatchNorm())
@net("vgg19_bn", input=IMAGENET, paper=VGG, depths=(2, 2, 4, 4, 4), norm=BatchNorm())
@net("se_vgg16", input=IMAGENET, paper=SENET, depths=(2, 2, 3, 3, 3), norm=BatchNorm(), se=16)
def vgg(
    depths: tuple[int, ...],
    width: int = 64,
    hidden: int = 4096,
    norm: BatchNorm | None = None,
    se: int = 0,
    classes: int = 1000,
) -> Spec:
    """Table 1 of the paper, columns A, B, D and E: blocks of 3x3 convolutions, each twice as
    wide as the one before up to 8 times the first, and three dense units.

    The paper has no batch normalisation; with it the convolutions keep their biases, as in
    torchvision. `se` is the reduction of squeeze-excitations behind every ReLU (Hu et al.
    2017, section 3), 0 for none.
    """
    need_counts(depths=depths)
    blocks = [VggBlock(width * min(2**i, 8), depth, norm, se) for i, depth in enumerate(depths)]
    stages = {f"stage{i}": block for i, block in enumerate(blocks, 1)}
    return Sequential(**stages, head=dense(classes, grid=7, hidden=hidden))
