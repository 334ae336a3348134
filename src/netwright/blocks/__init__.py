"""What papers name: fields that become wiring once the input shape is known."""

from typing import TYPE_CHECKING

from netwright.lazy import lazy

if TYPE_CHECKING:
    from netwright.blocks.attention import *  # noqa: F403
    from netwright.blocks.conv import *  # noqa: F403
    from netwright.blocks.resnet import *  # noqa: F403

__all__ = lazy(
    __name__,
    {
        "attention": "SqueezeExcite",
        "conv": "ConvNormAct DepthwiseConv conv_norm conv_norm_act",
        "resnet": "BasicBlock Bottleneck Shortcut",
    },
)
