"""GoogLeNet, the paper's and torchvision's."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.inception import AuxiliaryHead, Inception
from netwright.core.graph import Tap
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.registry import Paper, net
from netwright.units.norm import BatchNorm
from netwright.units.pool import AdaptiveAvgPool, MaxPool
from netwright.units.response_norm import LocalResponseNorm

__all__ = ["googlenet", "googlenet_bn"]

GOOGLENET = Paper(
    "Going Deeper with Convolutions",
    "Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich",
    2014,
    "1409.4842",
)
IMAGENET = (3, 224, 224)
COLUMNS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""Table 1 of the paper: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj."""


@net("googlenet", input=IMAGENET, paper=GOOGLENET)
def googlenet(aux: bool = False, classes: int = 1000) -> Spec:
    """Table 1 of the paper: a stem, nine Inception blocks, a pooled head.

    Convolutions have biases and no batch normalisation; local response normalisation stands
    where figure 3 shows it. With `aux` two auxiliary heads of weight 0.3 hang behind 4a and
    4d, for training.
    """
    pool = MaxPool(3, 2, padding=1)
    stem = Sequential(
        conv1=ConvNormAct(64, 7, 2, norm=None),
        pool1=pool,
        norm1=LocalResponseNorm(),
        reduce=ConvNormAct(64, 1, norm=None),
        conv2=ConvNormAct(192, 3, norm=None),
        norm2=LocalResponseNorm(),
        pool2=pool,
    )
    blocks = {name: Inception(*columns) for name, columns in COLUMNS.items()}
    tap = Tap(AuxiliaryHead(classes)) if aux else None
    return _stages(stem, blocks, {"3": pool, "4": pool}, tap, pooled(classes, dropout=0.4))


@net("googlenet_bn", input=IMAGENET, paper=GOOGLENET)
def googlenet_bn(aux: bool = False, classes: int = 1000) -> Spec:
    """GoogLeNet as torchvision builds it.

    After the paper, but: batch normalisation (eps 0.001) in the place of biases and of local
    response normalisation, 3x3 where the paper has 5x5, pools rounded up in the place of
    padding, the last one 2x2, 20% dropout where the paper has 40%, and auxiliary heads that
    pool to a grid of 4x4.
    """
    norm = BatchNorm(eps=1e-3)
    pool = MaxPool(3, 2, ceil=True)
    stem = Sequential(
        conv1=ConvNormAct(64, 7, 2, norm=norm),
        pool1=pool,
        reduce=ConvNormAct(64, 1, norm=norm),
        conv2=ConvNormAct(192, 3, norm=norm),
        pool2=pool,
    )
    blocks = {name: Inception(*columns, 3, norm) for name, columns in COLUMNS.items()}
    pools = {"3": pool, "4": MaxPool(2, 2, ceil=True)}
    tap = Tap(AuxiliaryHead(classes, norm, AdaptiveAvgPool(4))) if aux else None
    return _stages(stem, blocks, pools, tap, pooled(classes, dropout=0.2))


def _stages(
    stem: Spec, blocks: dict[str, Inception], pools: dict[str, MaxPool], tap: Tap | None, head: Spec
) -> Sequential:
    """Stages 3 to 5, one dict of blocks a stage, joined by pools; taps behind 4a and 4d."""
    parts = {"stem": stem}
    for name, block in blocks.items():
        if name in ("4a", "5a"):
            before = str(int(name[0]) - 1)
            parts[f"pool{before}"] = pools[before]
        parts[f"inception{name}"] = block
        if tap and name in ("4a", "4d"):
            parts[f"aux{name}"] = tap
    return Sequential(**parts, head=head)
