"""A channel-boosted net: channels that a trained autoencoder makes, beside those of the image."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.vgg import VggBlock
from netwright.core.graph import Frozen
from netwright.core.spec import Spec
from netwright.core.wiring import Concat, Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.activation import Identity, ReLU
from netwright.units.conv import TransposedConv
from netwright.units.norm import BatchNorm

__all__ = ["channel_boosted"]

BOOSTED = Paper(
    "A New Channel Boosted Convolutional Neural Network using Transfer Learning",
    "Khan, Sohail, Ali",
    2018,
    "1804.08528",
)


@net("channel_boosted_cnn", input=(3, 32, 32), paper=BOOSTED)
def channel_boosted(
    width: int = 64, extra: int = 16, depths: tuple[int, ...] = (2, 2, 3), classes: int = 10
) -> Spec:
    """The image and `extra` maps of an auxiliary learner side by side, then VGG blocks with
    batch normalisation and a pooled head.

    The auxiliary learner is a convolutional autoencoder up to its last hidden maps, as large
    as the image. It is trained to give the image back before this net is, and frozen here;
    `examples/channel_boosting.py` does both. The paper leaves the sizes of both nets open;
    H and W are multiples of 4, and of 2 for every stage.
    """
    need_counts(width=width, extra=extra, depths=depths)
    auxiliary = Sequential(
        down1=conv_norm_act(2 * extra, 3, 2),
        down2=conv_norm_act(4 * extra, 3, 2),
        up2=Sequential(conv=TransposedConv(2 * extra), norm=BatchNorm(), act=ReLU()),
        up1=Sequential(conv=TransposedConv(extra), norm=BatchNorm(), act=ReLU()),
    )
    blocks = [VggBlock(width * 2**i, depth, BatchNorm()) for i, depth in enumerate(depths)]
    return Sequential(
        boost=Concat(image=Identity(), auxiliary=Frozen(auxiliary)),
        **{f"stage{i}": block for i, block in enumerate(blocks, 1)},
        head=pooled(classes),
    )
