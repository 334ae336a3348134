"""Inception-ResNet-v1 and v2."""

from __future__ import annotations

from netwright.blocks.inception import NORM, GridReduction, InceptionA
from netwright.blocks.inception_resnet import InceptionResidual
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.inception import UNPADDED, V4, conv, stem
from netwright.nets.options import need_counts
from netwright.nets.registry import net
from netwright.units.linear import Linear
from netwright.units.pool import GlobalAvgPool, MaxPool
from netwright.units.regularise import Dropout

__all__ = ["inception_resnet_v1", "inception_resnet_v2"]

INPUT = (3, 299, 299)


@net("inception_resnet_v1", input=INPUT, paper=V4)
def inception_resnet_v1(depths: tuple[int, ...] = (5, 10, 5), classes: int = 1000) -> Spec:
    """Figure 15 of the paper: the stem of figure 14, then 5, 10 and 5 blocks of figures 10,
    11 and 13 with reductions between them.

    As in pytorchcv, but not in the paper, a sixth block without scale and ReLU ends the last
    stage, and the head drops 60% and has 512 hidden units with batch norm.
    """
    head = Sequential(
        pool=GlobalAvgPool(),
        drop=Dropout(0.6),
        hidden=Linear(512, bias=False),
        norm=NORM,
        fc=Linear(classes),
    )
    return Sequential(
        stem=stem().put(conv6=conv(256, 3, 2, "valid")),
        **_stages(
            depths,
            InceptionResidual(((32,), (32, 32), (32, 32, 32)), 0.17),
            GridReduction(((384,), (192, 192, 256))),
            InceptionResidual(((128,), (128, 128, 128)), 0.1, 7),
            GridReduction(((256, 384), (256, 256), (256, 256, 256))),
            ((192,), (192, 192, 192)),
        ),
        head=head,
    )


@net("inception_resnet_v2", input=INPUT, paper=V4)
def inception_resnet_v2(depths: tuple[int, ...] = (10, 20, 9), classes: int = 1000) -> Spec:
    """Figure 15 of the paper with the wider blocks of figures 16, 17 and 19, as in timm and
    the authors' code.

    There the blocks are 10, 20 and 9 and one more without scale and ReLU, where the paper
    has 5, 10 and 5; the stem is that of Inception-v3 and an Inception block, where the paper
    has Inception-v4's; a 1x1 convolution to 1536 channels stands before the head, and
    nothing is dropped.
    """
    return Sequential(
        stem=stem().put(
            pool2=MaxPool(3, 2),
            mixed=InceptionA(96, (48, 64), (64, 96, 96), 64, kernel=5, pool=UNPADDED),
        ),
        **_stages(
            depths,
            InceptionResidual(((32,), (32, 32), (32, 48, 64)), 0.17),
            GridReduction(((384,), (256, 256, 384))),
            InceptionResidual(((192,), (128, 160, 192)), 0.1, 7),
            GridReduction(((256, 384), (256, 288), (256, 288, 320))),
            ((192,), (192, 224, 256)),
        ),
        conv=conv(1536, 1),
        head=pooled(classes),
    )


def _stages(
    depths: tuple[int, ...],
    a: InceptionResidual,
    reduction1: GridReduction,
    b: InceptionResidual,
    reduction2: GridReduction,
    last: tuple[tuple[int, ...], ...],
) -> dict[str, Spec]:
    """Three stages of blocks with reductions between them. The blocks of the third have
    1x3 and 3x1 convolutions in their branches, and one more ends it, plain.
    """
    need_counts(depths=depths)
    c = InceptionResidual(last, 0.2, 3)
    return {
        "stage1": Sequential(*[a] * depths[0]),
        "reduction1": reduction1,
        "stage2": Sequential(*[b] * depths[1]),
        "reduction2": reduction2,
        "stage3": Sequential(*[c] * depths[2], InceptionResidual(last, 1.0, 3, act=False)),
    }
