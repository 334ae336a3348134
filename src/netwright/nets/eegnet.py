"""EEGNet, for electroencephalograms."""

from __future__ import annotations

from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.activation import ELU
from netwright.units.conv import Conv
from netwright.units.linear import Flatten, Linear
from netwright.units.norm import BatchNorm
from netwright.units.pool import AvgPool
from netwright.units.regularise import Dropout
from netwright.units.weight_norm import MaxNorm

__all__ = ["eegnet"]

EEGNET = Paper(
    "EEGNet: A Compact Convolutional Network for EEG-based Brain-Computer Interfaces",
    "Lawhern, Solon, Waytowich, Gordon, Hung, Lance",
    2016,
    "1611.08024",
)


@net("eegnet_4_2", input=(1, 64, 128), paper=EEGNET, temporal=4)
@net("eegnet_8_2", input=(1, 64, 128), paper=EEGNET, temporal=8)
def eegnet(
    temporal: int,
    depth: int = 2,
    leads: int = 64,
    kernel: int = 64,
    dropout: float = 0.5,
    classes: int = 4,
) -> Spec:
    """Table 2 of the paper: `temporal` filters in time, `depth` weightings of all `leads` for
    each of them, a separable convolution, one dense unit.

    An image is one channel of leads x samples at 128 Hz; `kernel` is half a second. Weights
    over the leads keep a norm of at most 1, those of the dense unit of 0.25. Pads as Keras
    does, one sample more after than before.
    """
    need_counts(temporal=temporal, depth=depth, leads=leads, kernel=kernel)
    maps = temporal * depth
    across = Conv(maps, (leads, 1), padding="valid", groups=temporal, bias=False)
    return Sequential(
        time=Sequential(conv=Conv(temporal, (1, kernel), bias=False), norm=_norm()),
        leads=Sequential(
            conv=MaxNorm(across, 1.0),
            norm=_norm(),
            act=ELU(),
            pool=AvgPool((1, 4)),
            drop=Dropout(dropout),
        ),
        separable=Sequential(
            depthwise=Conv(maps, (1, 16), groups=maps, bias=False),
            pointwise=Conv(maps, 1, bias=False),
            norm=_norm(),
            act=ELU(),
            pool=AvgPool((1, 8)),
            drop=Dropout(dropout),
        ),
        flatten=Flatten(),
        fc=MaxNorm(Linear(classes), 0.25),
    )


def _norm() -> BatchNorm:
    """Batch normalisation as Keras has it."""
    return BatchNorm(eps=1e-3, momentum=0.01)
