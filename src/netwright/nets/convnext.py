"""ConvNeXt, tiny to large."""

from __future__ import annotations

from netwright.blocks.convnext import ConvNextBlock
from netwright.blocks.stage import Stage
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import SpecError
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.conv import Conv
from netwright.units.linear import Linear
from netwright.units.norm import ChannelLayerNorm
from netwright.units.pool import GlobalAvgPool

__all__ = ["convnext"]

CONVNEXT = Paper(
    "A ConvNet for the 2020s", "Liu, Mao, Wu, Feichtenhofer, Darrell, Xie", 2022, "2201.03545"
)
IMAGENET = (3, 224, 224)
DEEP = (3, 3, 27, 3)


@net("convnext_tiny", input=IMAGENET, paper=CONVNEXT)
@net("convnext_small", input=IMAGENET, paper=CONVNEXT, depths=DEEP, drop_path=0.4)
@net("convnext_base", input=IMAGENET, paper=CONVNEXT, depths=DEEP, width=128, drop_path=0.5)
@net("convnext_large", input=IMAGENET, paper=CONVNEXT, depths=DEEP, width=192, drop_path=0.5)
def convnext(
    depths: tuple[int, ...] = (3, 3, 9, 3),
    width: int = 96,
    drop_path: float = 0.1,
    classes: int = 1000,
) -> Spec:
    """Section 3 of the paper: a 4x4 patch stem, four stages of ConvNeXt blocks, twice as wide in
    every stage behind a layer norm and a 2x2 convolution of stride 2, a pooled head.

    Stochastic depth rises from 0 to `drop_path`. All as in torchvision.
    """
    need_counts(depths=depths, width=width)
    if not 0 <= drop_path < 1:
        raise SpecError(f"drop_path is {drop_path!r}, wanted a number from 0 up to 1, 1 left out")
    norm = ChannelLayerNorm(eps=1e-6)
    parts: dict[str, Spec] = {
        "stem": Sequential(conv=Conv(width, 4, 4, padding="valid"), norm=norm),
    }
    for i, depth in enumerate(depths):
        if i > 0:
            down = Conv(width * 2**i, 2, 2, padding="valid")
            parts[f"down{i}"] = Sequential(norm=norm, conv=down)
        before, blocks = sum(depths[:i]), max(1, sum(depths) - 1)
        drop = (drop_path * before / blocks, drop_path * (before + depth - 1) / blocks)
        parts[f"stage{i + 1}"] = Stage(ConvNextBlock(), depth, drop=drop)
    head = Sequential(pool=GlobalAvgPool(), norm=norm, fc=Linear(classes))
    return Sequential(**parts, head=head)
