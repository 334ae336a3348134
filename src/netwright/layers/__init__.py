"""Torch modules PyTorch lacks; they know nothing of specs and can be used alone."""

from typing import TYPE_CHECKING

from netwright.lazy import lazy

if TYPE_CHECKING:
    from netwright.layers.basic import *  # noqa: F403
    from netwright.layers.conv import *  # noqa: F403

lazy(
    __name__,
    {
        "basic": "Add Cat DropPath GlobalAvgPool Mul PadChannels Subsample",
        "conv": "PaddedConv1d PaddedConv2d PaddedConv3d padded_conv",
    },
)
