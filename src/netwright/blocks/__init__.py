"""What papers name: fields that become wiring once the input shape is known."""

from netwright.blocks.attention import SqueezeExcite
from netwright.blocks.conv import ConvNormAct, DepthwiseConv, conv_norm, conv_norm_act
from netwright.blocks.resnet import BasicBlock, Bottleneck, Shortcut

__all__ = ['BasicBlock', 'Bottleneck', 'ConvNormAct', 'DepthwiseConv', 'Shortcut', 'SqueezeExcite', 'conv_norm', 'conv_norm_act']
