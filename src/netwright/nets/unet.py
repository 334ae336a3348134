"""U-Net, without and with attention."""

from __future__ import annotations

from netwright.blocks.scse import SCSE
from netwright.blocks.unet import DoubleConv, UNetDown, UNetUp
from netwright.core.graph import Graph, Node
from netwright.core.spec import Spec
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.conv import Conv
from netwright.units.norm import BatchNorm

__all__ = ["unet"]

UNET = Paper(
    "U-Net: Convolutional Networks for Biomedical Image Segmentation",
    "Ronneberger, Fischer, Brox",
    2015,
    "1505.04597",
)


SCSE_PAPER = Paper(
    "Concurrent Spatial and Channel Squeeze & Excitation in Fully Convolutional Networks",
    "Roy, Navab, Wachinger",
    2018,
    "1803.02579",
)


@net("unet", input=(1, 256, 256), paper=UNET)
@net("unet_scse", input=(1, 256, 256), paper=SCSE_PAPER, norm=BatchNorm(), attention=SCSE())
def unet(
    depth: int = 4,
    width: int = 64,
    norm: BatchNorm | None = None,
    attention: Spec | None = None,
    classes: int = 2,
) -> Spec:
    """Figure 1 of the paper: `depth` steps down, each twice as wide, and as many up, beside
    each other: (C, H, W) -> (classes, H, W), a score for every class and pixel.

    Convolutions pad (`same`), where the paper's lose a border and crop what they copy, so
    that the map of scores is as large as the image; H and W are multiples of 2^depth. No
    dropout at the bottom, of which the paper gives no rate. `norm` is put behind every
    convolution of the two arms, `attention` behind every pair of them.

    `unet_scse` is this net with batch normalisation and scSE everywhere; Roy et al. have it in
    a U-Net whose maps are 64 at every resolution, convolved by 5x5.

    >>> import netwright as nw
    >>> nw.net("unet", classes=5, input=(3, 64, 96)).plan().output
    (5, 64, 96)
    """
    need_counts(depth=depth)
    widths = [width * 2**level for level in range(depth + 1)]
    parts: dict[str, Spec] = {"down0": DoubleConv(widths[0], norm, attention)}
    for i in range(1, depth + 1):
        parts[f"down{i}"] = UNetDown(widths[i], norm, attention)
    below = f"down{depth}"
    for i in reversed(range(depth)):
        parts[f"up{i}"] = Node(UNetUp(widths[i], norm, attention), f"down{i}", below)
        below = f"up{i}"
    return Graph(**parts, head=Conv(classes, 1))
