"""Nets for image sequences that remember: CNN-LSTM and ConvLSTM."""

from __future__ import annotations

from typing import cast

from netwright.core.graph import TimeDistributed
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.alexnet import alexnet
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.conv_lstm import ConvLSTM
from netwright.units.linear import Linear
from netwright.units.rearrange import PixelUnshuffle
from netwright.units.recurrent import LSTM
from netwright.units.regularise import Dropout

__all__ = ["cnn_lstm", "conv_lstm"]

LRCN = Paper(
    "Long-term Recurrent Convolutional Networks for Visual Recognition and Description",
    "Donahue, Hendricks, Rohrbach, Venugopalan, Guadarrama, Saenko, Darrell",
    2014,
    "1411.4389",
)
CONV_LSTM = Paper(
    "Convolutional LSTM Network: A Machine Learning Approach for Precipitation Nowcasting",
    "Shi, Chen, Wang, Yeung, Wong, Woo",
    2015,
    "1506.04214",
)


@net("cnn_lstm", input=(16, 3, 224, 224), paper=LRCN)
def cnn_lstm(width: int = 256, hidden: int = 4096, classes: int = 101) -> Spec:
    """Section 4 of the paper, LRCN-fc6: AlexNet up to its first dense unit sees every frame,
    an LSTM of `width` reads them in turn, one dense unit says the class.

    The frames go through the one-tower AlexNet, the paper's through a hybrid of CaffeNet and
    ZFNet. The last state decides; the paper has a decision at every step and averages them.
    """
    frame = cast("Sequential", alexnet(hidden=hidden))
    head = cast("Sequential", frame["head"])
    first = head.over(head.parts[: head.names.index("fc2")])
    return Sequential(
        frames=TimeDistributed(frame.put(head=first)),
        lstm=LSTM(width, last=True),
        drop=Dropout(0.5),
        fc=Linear(classes),
    )


@net("conv_lstm", input=(10, 1, 64, 64), paper=CONV_LSTM)
def conv_lstm(
    widths: tuple[int, ...] = (128, 64, 64), kernel: int = 5, patch: int = 4, classes: int = 10
) -> Spec:
    """The encoder of section 4.1 of the paper, its last state pooled for classes: frames cut
    into patches x patches, a ConvLSTM of every width.

    The paper forecasts frames from that state; the pooled head takes the forecaster's place.
    """
    need_counts(widths=widths, patch=patch)
    last = len(widths) - 1
    states = [ConvLSTM(width, kernel, last=i == last) for i, width in enumerate(widths)]
    return Sequential(
        patches=TimeDistributed(PixelUnshuffle(patch)),
        **{f"state{i}": state for i, state in enumerate(states, 1)},
        head=pooled(classes),
    )
