"""ResNet-18 to ResNet-152, and with squeeze-excitation."""

from __future__ import annotations

from dataclasses import replace

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.resnet import BasicBlock, Bottleneck
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.registry import Paper, net
from netwright.units.pool import MaxPool

__all__ = ["RESNET", "basic_resnet", "bottleneck_resnet", "stages"]

RESNET = Paper(
    "Deep Residual Learning for Image Recognition", "He, Zhang, Ren, Sun", 2015, "1512.03385"
)
SENET = Paper("Squeeze-and-Excitation Networks", "Hu, Shen, Albanie, Sun, Wu", 2017, "1709.01507")
IMAGENET = (3, 224, 224)


@net("resnet18", input=IMAGENET, paper=RESNET, depths=(2, 2, 2, 2))
@net("resnet34", input=IMAGENET, paper=RESNET, depths=(3, 4, 6, 3))
def basic_resnet(
    depths: tuple[int, ...],
    width: int = 64,
    se: int = 0,
    shortcut: str = "B",
    classes: int = 1000,
) -> Spec:
    """Table 1 of the paper, columns 18 and 34: a 7x7 stem, four stages of two 3x3
    convolutions beside a shortcut, a pooled head.

    Shortcuts project where the shape changes (option B), as in torchvision and timm; the
    paper's 34-layer net pads with zeros (option A).
    """
    return _resnet(depths, BasicBlock(width, se=se, shortcut=shortcut), classes)


@net("resnet50", input=IMAGENET, paper=RESNET, depths=(3, 4, 6, 3))
@net("resnet101", input=IMAGENET, paper=RESNET, depths=(3, 4, 23, 3))
@net("resnet152", input=IMAGENET, paper=RESNET, depths=(3, 8, 36, 3))
@net("seresnet50", input=IMAGENET, paper=SENET, depths=(3, 4, 6, 3), se=16)
def bottleneck_resnet(
    depths: tuple[int, ...],
    width: int = 64,
    se: int = 0,
    stride_in: str = "3x3",
    classes: int = 1000,
) -> Spec:
    """Table 1 of the paper, columns 50 to 152: a 7x7 stem, four stages of bottlenecks, a
    pooled head; `se` is the reduction of squeeze-excitations, 0 for none.

    The stride of a bottleneck sits in its 3x3 convolution, as in torchvision and timm
    (ResNet-50: 4.09 GMACs); the paper has it in the first 1x1, `stride_in="1x1"` (3.86).
    """
    return _resnet(depths, Bottleneck(width, se=se, stride_in=stride_in), classes)


def _resnet(depths: tuple[int, ...], block: BasicBlock | Bottleneck, classes: int) -> Sequential:
    return Sequential(
        stem=Sequential(conv=conv_norm_act(block.width, 7, 2), pool=MaxPool(3, 2, padding=1)),
        **stages(depths, block),
        head=pooled(classes),
    )


def stages(depths: tuple[int, ...], block: BasicBlock | Bottleneck) -> dict[str, Spec]:
    """`depths[i]` blocks for stage i, twice as wide in every stage; all but the first stage
    begin with stride 2.

    >>> list(stages((2, 2), BasicBlock(64)))
    ['stage1', 'stage2']
    """
    need_counts(depths=depths)

    def stage(i: int) -> Sequential:
        inner = replace(block, width=block.width * 2**i)
        first = inner if i == 0 else replace(inner, stride=2)
        return Sequential(first, *[inner] * (depths[i] - 1))

    return {f"stage{i + 1}": stage(i) for i in range(len(depths))}
