"""BN-Inception, Inception-v3 and Inception-v4."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.inception import (
    NORM,
    GridReduction,
    InceptionA,
    InceptionB,
    InceptionC,
    chain,
)
from netwright.core.graph import Tap
from netwright.core.shape import Axes, Padding
from netwright.core.spec import Spec
from netwright.core.wiring import Concat, Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.norm import BatchNorm
from netwright.units.pool import AvgPool, MaxPool

__all__ = [
    "BN",
    "UNPADDED",
    "V3",
    "V4",
    "bn_inception",
    "conv",
    "inception_v3",
    "inception_v4",
    "stem",
]

BN = Paper(
    "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
    "Ioffe, Szegedy",
    2015,
    "1502.03167",
)
V3 = Paper(
    "Rethinking the Inception Architecture for Computer Vision",
    "Szegedy, Vanhoucke, Ioffe, Shlens, Wojna",
    2015,
    "1512.00567",
)
V4 = Paper(
    "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    "Szegedy, Ioffe, Vanhoucke, Alemi",
    2016,
    "1602.07261",
)
MEAN = AvgPool(3, 1, padding=1)
UNPADDED = AvgPool(3, 1, padding=1, count_padding=False)
"""An average of neighbours that leaves the padding out."""


@net("bn_inception", input=(3, 224, 224), paper=BN)
def bn_inception(classes: int = 1000) -> Spec:
    """Figure 5 of the paper: GoogLeNet with batch normalisation, the 5x5 convolutions as two
    3x3, and strides in blocks 3c and 4e in the place of pools.

    As in pytorchcv, the convolutions keep their biases beside the normalisation.
    """
    norm = BatchNorm()

    def biased(width: int, kernel: int, stride: int = 1) -> ConvNormAct:
        return ConvNormAct(width, kernel, stride, norm=norm, bias=True)

    def mixed(
        conv1: int, once: tuple[int, int], twice: tuple[int, int], project: int, pool: Spec = MEAN
    ) -> InceptionA:
        wide = (*twice, twice[1])
        return InceptionA(conv1, once, wide, project, pool=pool, norm=norm, bias=True)

    def reduction(*branches: tuple[int, ...]) -> GridReduction:
        return GridReduction(branches, "same", norm, bias=True)

    return Sequential(
        stem=Sequential(
            conv1=biased(64, 7, 2),
            pool1=MaxPool(3, 2, ceil=True),
            reduce=biased(64, 1),
            conv2=biased(192, 3),
            pool2=MaxPool(3, 2, ceil=True),
        ),
        inception3a=mixed(64, (64, 64), (64, 96), 32),
        inception3b=mixed(64, (64, 96), (64, 96), 64),
        inception3c=reduction((128, 160), (64, 96, 96)),
        inception4a=mixed(224, (64, 96), (96, 128), 128),
        inception4b=mixed(192, (96, 128), (96, 128), 128),
        inception4c=mixed(160, (128, 160), (128, 160), 128),
        inception4d=mixed(96, (128, 192), (160, 192), 128),
        inception4e=reduction((128, 192), (192, 256, 256)),
        inception5a=mixed(352, (192, 320), (160, 224), 128),
        inception5b=mixed(352, (192, 320), (192, 224), 128, MaxPool(3, 1, padding=1)),
        head=pooled(classes),
    )


@net("inception_v3", input=(3, 299, 299), paper=V3)
def inception_v3(aux: bool = False, classes: int = 1000) -> Spec:
    """Table 1 of the paper, as torchvision and the authors' code have it.

    There the stem has a 1x1 and two pools, the second branch of the first three blocks keeps
    its 5x5, and the 17x17 blocks are four. With `aux` an auxiliary head of weight 0.4 hangs
    behind them, for training. No transform of the input is part of the net.
    """

    def a(project: int) -> InceptionA:
        return InceptionA(64, (48, 64), (64, 96, 96), project, kernel=5)

    def b(width: int) -> InceptionB:
        return InceptionB(192, (width, width, 192), (width, width, width, width, 192), 192)

    c = InceptionC(320, (384, 384), (448, 384, 384), 192)
    tap = {"aux": Tap(_auxiliary(classes), weight=0.4)} if aux else {}
    return Sequential(
        stem=stem().put(pool2=MaxPool(3, 2)),
        stage1=Sequential(a(32), a(64), a(64)),
        reduction1=GridReduction(((384,), (64, 96, 96))),
        stage2=Sequential(b(128), b(160), b(160), b(192)),
        **tap,
        reduction2=GridReduction(((192, 320), (192, 192, 192, 192))),
        stage3=Sequential(c, c),
        head=pooled(classes, dropout=0.5),
    )


def _auxiliary(classes: int) -> Sequential:
    """5x5 average pooling at stride 3, a 1x1 and a 5x5 convolution, and a pooled head."""
    convs = Sequential(pool=AvgPool(5, 3), reduce=conv(128, 1), conv=conv(768, 5, 1, "valid"))
    return convs.put(head=pooled(classes))


@net("inception_v4", input=(3, 299, 299), paper=V4)
def inception_v4(depths: tuple[int, int, int] = (4, 7, 3), classes: int = 1000) -> Spec:
    """Figure 9 of the paper: the stem of figure 3, then 4, 7 and 3 blocks of figures 4 to 6
    with reductions between them.

    Averages leave the padding out, as in timm, which also has no dropout; the paper drops 20%
    before the classifier.
    """
    need_counts(depths=depths)
    a = InceptionA(96, (64, 96), (64, 96, 96), 96, pool=UNPADDED)
    b = InceptionB(384, (192, 224, 256), (192, 192, 224, 224, 256), 128, UNPADDED)
    c = InceptionC(256, (384, 256), (384, 448, 512, 256), 256, UNPADDED)
    return Sequential(
        stem=_stem_v4(),
        stage1=Sequential(*[a] * depths[0]),
        reduction1=GridReduction(((384,), (192, 224, 256))),
        stage2=Sequential(*[b] * depths[1]),
        reduction2=GridReduction(((192, 192), (256, 256, 320, 320))),
        stage3=Sequential(*[c] * depths[2]),
        head=pooled(classes),
    )


def _stem_v4() -> Sequential:
    """Figure 3 of the paper: convolutions beside pools, 3 x 299 x 299 -> 384 x 35 x 35."""
    narrow = chain((64, 64, 64), (1, (1, 7), (7, 1)))
    return _first_convs().put(
        mixed1=Concat(pool=MaxPool(3, 2), conv=conv(96, 3, 2, "valid")),
        mixed2=Concat(
            once=Sequential(reduce=conv(64, 1), conv=conv(96, 3, 1, "valid")),
            twice=narrow.put(conv=conv(96, 3, 1, "valid")),
        ),
        mixed3=Concat(conv=conv(192, 3, 2, "valid"), pool=MaxPool(3, 2)),
    )


def conv(width: int, kernel: Axes = 3, stride: int = 1, padding: Padding = "same") -> ConvNormAct:
    """Convolution, batch norm with an eps of 0.001, ReLU."""
    return ConvNormAct(width, kernel, stride, padding, norm=NORM)


def stem() -> Sequential:
    """The stem of Inception-v3 without its last pool: 3 x 299 x 299 -> 192 x 71 x 71."""
    return _first_convs().put(
        pool1=MaxPool(3, 2), conv4=conv(80, 1), conv5=conv(192, 3, 1, "valid")
    )


def _first_convs() -> Sequential:
    return Sequential(conv1=conv(32, 3, 2, "valid"), conv2=conv(32, 3, 1, "valid"), conv3=conv(64))
