"""ResNet-18 to ResNet-152, and with squeeze-excitation."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.resnet import BasicBlock, Bottleneck
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.registry import Paper, net
from netwright.units.pool import MaxPool

RESNET = Paper(
    "Deep Residual Learning for Image Recognition", "He, Zhang, Ren, Sun", 2015, "1512.03385"
)
SENET = Paper("Squeeze-and-Excitation Networks", "Hu, Shen, Albanie, Sun, Wu", 2017, "1709.01507")
IMAGENET = (3, 224, 224)


@net("resnet18", input=IMAGENET, paper=RESNET, depths=(2, 2, 2, 2), block=BasicBlock)
@net("resnet34", input=IMAGENET, paper=RESNET, depths=(3, 4, 6, 3), block=BasicBlock)
@net("resnet50", input=IMAGENET, paper=RESNET, depths=(3, 4, 6, 3))
@net("resnet101", input=IMAGENET, paper=RESNET, depths=(3, 4, 23, 3))
@net("resnet152", input=IMAGENET, paper=RESNET, depths=(3, 8, 36, 3))
@net("seresnet50", input=IMAGENET, paper=SENET, depths=(3, 4, 6, 3), se=16)
def resnet(
    depths: tuple[int, ...],
    block: type[BasicBlock] | type[Bottleneck] = Bottleneck,
    width: int = 64,
    se: int = 0,
    classes: int = 1000,
) -> Spec:
    """Table 1 of the paper: a 7x7 stem, four stages of residual blocks, a pooled head.

    The stride of a bottleneck sits in its 3x3 convolution, as in torchvision and timm
    (ResNet-50: 4.09 GMACs); the paper has it in the first 1x1 (3.86 GMACs).
    """

    def stage(i: int) -> Sequential:
        strides = [1 if i == 0 else 2] + [1] * (depths[i] - 1)
        return Sequential(*[block(width * 2**i, stride, se=se) for stride in strides])

    return Sequential(
        stem=Sequential(conv=conv_norm_act(width, 7, 2), pool=MaxPool(3, 2, padding=1)),
        **{f"stage{i + 1}": stage(i) for i in range(len(depths))},
        head=pooled(classes),
    )
