"""Torch modules PyTorch lacks; they know nothing of specs and can be used alone."""

from netwright.layers.basic import (
    Add,
    Cat,
    DropPath,
    GlobalAvgPool,
    Mul,
    PadChannels,
    Subsample,
)
from netwright.layers.conv import PaddedConv1d, PaddedConv2d, PaddedConv3d, padded_conv

__all__ = [
    "Add",
    "Cat",
    "DropPath",
    "GlobalAvgPool",
    "Mul",
    "PadChannels",
    "PaddedConv1d",
    "PaddedConv2d",
    "PaddedConv3d",
    "Subsample",
    "padded_conv",
]
