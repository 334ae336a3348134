"""ResNet-18 to ResNet-200, with wide or grouped convolutions and with attention."""

from __future__ import annotations

from dataclasses import replace

from netwright.blocks.attention import CBAM, SqueezeExcite
from netwright.blocks.competitive import CompetitiveExcite
from netwright.blocks.conv import ConvNormAct, conv_norm_act
from netwright.blocks.preresnet import PreBasicBlock, PreBottleneck
from netwright.blocks.resnet import BasicBlock, Bottleneck
from netwright.blocks.senet import SENetBottleneck
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.pool import MaxPool

__all__ = [
    "COMPETITIVE",
    "IDENTITY",
    "RESNET",
    "RESNEXT",
    "WIDE",
    "basic_resnet",
    "bottleneck_resnet",
    "root_resnet",
    "stages",
]

RESNET = Paper(
    "Deep Residual Learning for Image Recognition", "He, Zhang, Ren, Sun", 2015, "1512.03385"
)
SENET = Paper("Squeeze-and-Excitation Networks", "Hu, Shen, Albanie, Sun, Wu", 2017, "1709.01507")
RESNEXT = Paper(
    "Aggregated Residual Transformations for Deep Neural Networks",
    "Xie, Girshick, Dollar, Tu, He",
    2016,
    "1611.05431",
)
WIDE = Paper("Wide Residual Networks", "Zagoruyko, Komodakis", 2016, "1605.07146")
ROOT = Paper(
    "ScratchDet: Training Single-Shot Object Detectors from Scratch",
    "Zhu, Zhang, Wang, Wen, Shi, Bo, Mei",
    2018,
    "1810.08425",
)
IDENTITY = Paper(
    "Identity Mappings in Deep Residual Networks", "He, Zhang, Ren, Sun", 2016, "1603.05027"
)
ATTENDED = Paper(
    "CBAM: Convolutional Block Attention Module", "Woo, Park, Lee, Kweon", 2018, "1807.06521"
)
COMPETITIVE = Paper(
    "Competitive Inner-Imaging Squeeze and Excitation for Residual Network",
    "Hu, Wen, Luo, Dai, Ma, Yu",
    2018,
    "1807.08920",
)
IMAGENET = (3, 224, 224)
FIFTY, HUNDRED = (3, 4, 6, 3), (3, 4, 23, 3)
SE = SqueezeExcite()
POOL, CEIL_POOL = MaxPool(3, 2, padding=1), MaxPool(3, 2, ceil=True)
StageBlock = BasicBlock | Bottleneck | PreBasicBlock | PreBottleneck | SENetBottleneck | ConvNormAct


@net("resnet18", input=IMAGENET, paper=RESNET, depths=(2, 2, 2, 2))
@net("resnet34", input=IMAGENET, paper=RESNET, depths=(3, 4, 6, 3))
@net("cbam_resnet18", input=IMAGENET, paper=ATTENDED, depths=(2, 2, 2, 2), attention=CBAM())
def basic_resnet(
    depths: tuple[int, ...],
    width: int = 64,
    attention: Spec | None = None,
    shortcut: str = "B",
    classes: int = 1000,
) -> Spec:
    """Table 1 of the paper, columns 18 and 34: a 7x7 stem, four stages of two 3x3
    convolutions beside a shortcut, a pooled head; `attention` ends the bodies.

    Shortcuts project where the shape changes (option B), as in torchvision and timm; the
    paper's 34-layer net pads with zeros (option A).
    """
    return _resnet(depths, BasicBlock(width, shortcut=shortcut, attention=attention), classes)


@net("resnet50", input=IMAGENET, paper=RESNET, depths=FIFTY)
@net("resnet101", input=IMAGENET, paper=RESNET, depths=HUNDRED)
@net("resnet152", input=IMAGENET, paper=RESNET, depths=(3, 8, 36, 3))
@net("resnet200", input=IMAGENET, paper=IDENTITY, depths=(3, 24, 36, 3))
@net("wide_resnet50_2", input=IMAGENET, paper=WIDE, depths=FIFTY, widen=2)
@net("wide_resnet101_2", input=IMAGENET, paper=WIDE, depths=HUNDRED, widen=2)
@net("resnext50_2x40d", input=IMAGENET, paper=RESNEXT, depths=FIFTY, widen=1.25, groups=2)
@net("resnext50_4x24d", input=IMAGENET, paper=RESNEXT, depths=FIFTY, widen=1.5, groups=4)
@net("resnext50_8x14d", input=IMAGENET, paper=RESNEXT, depths=FIFTY, widen=1.75, groups=8)
@net("resnext50_32x4d", input=IMAGENET, paper=RESNEXT, depths=FIFTY, widen=2, groups=32)
@net("resnext101_2x40d", input=IMAGENET, paper=RESNEXT, depths=HUNDRED, widen=1.25, groups=2)
@net("resnext101_4x24d", input=IMAGENET, paper=RESNEXT, depths=HUNDRED, widen=1.5, groups=4)
@net("resnext101_8x14d", input=IMAGENET, paper=RESNEXT, depths=HUNDRED, widen=1.75, groups=8)
@net("resnext101_32x4d", input=IMAGENET, paper=RESNEXT, depths=HUNDRED, widen=2, groups=32)
@net("resnext101_32x8d", input=IMAGENET, paper=RESNEXT, depths=HUNDRED, widen=4, groups=32)
@net("resnext101_64x4d", input=IMAGENET, paper=RESNEXT, depths=HUNDRED, widen=4, groups=64)
@net("seresnet50", input=IMAGENET, paper=SENET, depths=FIFTY, attention=SE)
@net("seresnet101", input=IMAGENET, paper=SENET, depths=HUNDRED, attention=SE)
@net("seresnet152", input=IMAGENET, paper=SENET, depths=(3, 8, 36, 3), attention=SE)
@net(
    "seresnext50_32x4d", input=IMAGENET, paper=SENET, depths=FIFTY, widen=2, groups=32,
    attention=SE, ceil=True,
)  # fmt: skip
@net(
    "seresnext101_32x4d", input=IMAGENET, paper=SENET, depths=HUNDRED, widen=2, groups=32,
    attention=SE, ceil=True,
)  # fmt: skip
@net(
    "seresnext50_32x4d_timm", input=IMAGENET, paper=SENET, depths=FIFTY, widen=2, groups=32,
    attention=SE,
)  # fmt: skip
@net(
    "cmpe_se_resnet50", input=IMAGENET, paper=COMPETITIVE, depths=FIFTY,
    attention=CompetitiveExcite(),
)  # fmt: skip
@net("cbam_resnet50", input=IMAGENET, paper=ATTENDED, depths=FIFTY, attention=CBAM())
@net(
    "cbam_resnext101_32x4d", input=IMAGENET, paper=ATTENDED, depths=HUNDRED, widen=2, groups=32,
    attention=CBAM(),
)  # fmt: skip
def bottleneck_resnet(
    depths: tuple[int, ...],
    width: int = 64,
    widen: float = 1,
    groups: int = 1,
    attention: Spec | None = None,
    stride_in: str = "3x3",
    ceil: bool = False,
    classes: int = 1000,
) -> Spec:
    """Table 1 of the paper, columns 50 to 152: a 7x7 stem, four stages of bottlenecks, a
    pooled head; `attention` ends the bodies.

    The 3x3 convolutions are `widen` times as wide, in `groups`: a ResNeXt-50 of 32x4d has
    widen 2 and 32 groups, a wide ResNet-50-2 widen 2. ResNet-200 is the post-activation net
    that timm builds; its paper's has the activations first.

    The stride of a bottleneck sits in its 3x3 convolution, as in torchvision and timm
    (ResNet-50: 4.09 GMACs); the paper has it in the first 1x1, `stride_in="1x1"` (3.86).
    The SE-ResNeXts round the size of the stem's pool up (`ceil`) where the others pad, as in
    the authors' code and timm's `legacy_` nets; timm's later SE-ResNeXt-50 pads.
    """
    block = Bottleneck(width, groups=groups, attention=attention, stride_in=stride_in, widen=widen)
    return _resnet(depths, block, classes, pool=CEIL_POOL if ceil else POOL)


@net("resnet18_a", input=IMAGENET, paper=ROOT, stride=2, pool=False)
@net("resnet18_b", input=IMAGENET, paper=ROOT)
@net("root_resnet18", input=IMAGENET, paper=ROOT, kernels=(3, 3, 3))
def root_resnet(
    kernels: tuple[int, ...] = (7,),
    stride: int = 1,
    pool: bool = True,
    width: int = 64,
    classes: int = 1000,
) -> Spec:
    """ResNet-18 whose stem keeps more of the image, for small objects (section 3.3 of the
    paper): without the first max pool (A), with a first convolution of stride 1 (B), and
    with three 3x3 in the place of this 7x7 (Root).
    """
    need_counts(kernels=kernels, stride=stride)
    strides = (stride, *[1] * (len(kernels) - 1))
    convs = [conv_norm_act(width, *row) for row in zip(kernels, strides, strict=True)]
    parts: dict[str, Spec] = {f"conv{i}": conv for i, conv in enumerate(convs, 1)}
    if pool:
        parts["pool"] = POOL
    return _resnet((2, 2, 2, 2), BasicBlock(width), classes).put(stem=Sequential(**parts))


def _resnet(
    depths: tuple[int, ...], block: StageBlock, classes: int, pool: MaxPool = POOL
) -> Sequential:
    return Sequential(
        stem=Sequential(conv=conv_norm_act(block.width, 7, 2), pool=pool),
        **stages(depths, block),
        head=pooled(classes),
    )


def stages(depths: tuple[int, ...], block: StageBlock) -> dict[str, Sequential]:
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
