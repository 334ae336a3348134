"""One class an operation: its shape, cost, receptive field and module."""

from netwright.units.activation import Activation, ELU, GELU, HardSigmoid, HardSwish, Identity, LeakyReLU, PReLU, ReLU, ReLU6, SiLU, Sigmoid, Tanh
from netwright.units.conv import Conv, TransposedConv
from netwright.units.linear import Flatten, Linear
from netwright.units.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, Norm
from netwright.units.pool import AdaptiveAvgPool, AvgPool, GlobalAvgPool, LocalPool, MaxPool
from netwright.units.regularise import DropPath, Dropout, SpatialDropout
from netwright.units.resample import ChannelShuffle, PadChannels, Subsample, Upsample

__all__ = ['Activation', 'AdaptiveAvgPool', 'AvgPool', 'BatchNorm', 'ChannelShuffle', 'Conv', 'DropPath', 'Dropout', 'ELU', 'Flatten', 'GELU', 'GlobalAvgPool', 'GroupNorm', 'HardSigmoid', 'HardSwish', 'Identity', 'InstanceNorm', 'LayerNorm', 'LeakyReLU', 'Linear', 'LocalPool', 'LocalResponseNorm', 'MaxPool', 'Norm', 'PReLU', 'PadChannels', 'ReLU', 'ReLU6', 'SiLU', 'Sigmoid', 'SpatialDropout', 'Subsample', 'Tanh', 'TransposedConv', 'Upsample']
