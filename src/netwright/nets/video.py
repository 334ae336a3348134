"""Nets that convolve space and time: C3D, R3D, R(2+1)D and P3D."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.pseudo3d import P3dBottleneck, R2Plus1dBlock
from netwright.blocks.resnet import BasicBlock
from netwright.blocks.stage import Stage
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.activation import ReLU
from netwright.units.linear import Flatten, Linear
from netwright.units.pool import MaxPool
from netwright.units.regularise import Dropout

__all__ = ["c3d", "p3d", "r2plus1d", "r3d"]

C3D = Paper(
    "Learning Spatiotemporal Features with 3D Convolutional Networks",
    "Tran, Bourdev, Fergus, Torresani, Paluri",
    2014,
    "1412.0767",
)
P3D = Paper(
    "Learning Spatio-Temporal Representation with Pseudo-3D Residual Networks",
    "Qiu, Yao, Mei",
    2017,
    "1711.10305",
)
R2PLUS1D = Paper(
    "A Closer Look at Spatiotemporal Convolutions for Action Recognition",
    "Tran, Wang, Torresani, Ray, LeCun, Paluri",
    2017,
    "1711.11248",
)
CLIP = (3, 16, 112, 112)


@net("c3d", input=CLIP, paper=C3D)
def c3d(width: int = 64, hidden: int = 4096, classes: int = 487) -> Spec:
    """Figure 3 of the paper: eight 3x3x3 convolutions, five max pools, the first of which
    keeps time, three dense units; classes are those of Sports-1M.

    The last pool rounds up, as Caffe's do: 1 x 4 x 4 positions.
    """
    need_counts(width=width, hidden=hidden)
    parts: dict[str, Spec] = {}
    for i, depth in enumerate((1, 1, 2, 2, 2), 1):
        conv = ConvNormAct(width * min(2 ** (i - 1), 8), norm=None)
        pool = MaxPool((1, 2, 2)) if i == 1 else MaxPool(2, ceil=i == 5)
        parts[f"stage{i}"] = Sequential(*[conv] * depth, pool=pool)
    head = Sequential(
        flatten=Flatten(),
        fc6=Linear(hidden), act6=ReLU(), drop6=Dropout(0.5),
        fc7=Linear(hidden), act7=ReLU(), drop7=Dropout(0.5),
        fc8=Linear(classes),
    )  # fmt: skip
    return Sequential(**parts, head=head)


@net("r3d_18", input=CLIP, paper=R2PLUS1D)
def r3d(width: int = 64, depth: int = 2, classes: int = 400) -> Spec:
    """Table 1 of the paper, R3D: ResNet-18 whose kernels are 3 x 3 x 3, its stem 3 x 7 x 7
    without a pool; classes are those of Kinetics. From the second stage on time halves too.
    """
    stem = ConvNormAct(width, (3, 7, 7), (1, 2, 2))
    return _video_resnet(stem, BasicBlock, width, depth, classes)


@net("r2plus1d_18", input=CLIP, paper=R2PLUS1D)
def r2plus1d(width: int = 64, depth: int = 2, classes: int = 400) -> Spec:
    """Table 1 of the paper, R(2+1)D: R3D with every kernel cut into space and time, the stem
    with 45 maps between them.

    The maps between are counted as in torchvision, see `R2Plus1dBlock`.
    """
    need_counts(width=width)
    stem = Sequential(
        space=ConvNormAct(max(1, 45 * width // 64), (1, 7, 7), (1, 2, 2)),
        time=ConvNormAct(width, (3, 1, 1)),
    )
    return _video_resnet(stem, R2Plus1dBlock, width, depth, classes)


def _video_resnet(
    stem: Spec, block: type[BasicBlock | R2Plus1dBlock], width: int, depth: int, classes: int
) -> Sequential:
    """Four stages, each twice as wide as the one before, and a pooled head."""
    need_counts(width=width, depth=depth)
    some = {f"stage{i + 1}": Stage(block(width * 2**i), depth, 2 if i else 1) for i in range(4)}
    return Sequential(stem=stem, **some, head=pooled(classes))


@net("p3d63", input=(3, 16, 160, 160), paper=P3D, depths=(3, 4, 6, 3))
@net("p3d131", input=(3, 16, 160, 160), paper=P3D, depths=(3, 4, 23, 3))
@net("p3d199", input=(3, 16, 160, 160), paper=P3D, depths=(3, 8, 36, 3))
def p3d(depths: tuple[int, ...], width: int = 64, classes: int = 400) -> Spec:
    """ResNet-50, -101 or -152 with the 3x3 convolutions of its first three stages cut into space
    and time, in the forms A, B and C in turn (section 3.3): three layers of weights in a
    bottleneck become four.

    As in the authors' code a max pool halves time before every stage; the last one sees 16
    frames as one step and convolves space alone. Classes are those of Kinetics.
    """
    need_counts(depths=depths, width=width)
    stem = Sequential(
        conv=ConvNormAct(width, (1, 7, 7), (1, 2, 2)),
        pool=MaxPool((2, 3, 3), 2, (0, 1, 1)),
    )
    parts: dict[str, Spec] = {"stem": stem}
    forms = "ABC" * sum(depths[:3])
    for i, depth in enumerate(depths):
        last, before = i == len(depths) - 1, sum(depths[:i])
        blocks = [
            P3dBottleneck(width * 2**i, 2 if i and j == 0 else 1,
                          "S" if last else forms[before + j])
            for j in range(depth)
        ]  # fmt: skip
        pool = {} if last else {"pool": MaxPool((2, 1, 1))}
        parts[f"stage{i + 1}"] = Sequential(*blocks, **pool)
    return Sequential(**parts, head=pooled(classes, dropout=0.5))
