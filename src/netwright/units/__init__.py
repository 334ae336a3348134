"""One class an operation: its shape, cost, receptive field and module."""

from typing import TYPE_CHECKING

from netwright.core.lazy import lazy, load
from netwright.core.spec import Unit, names

if TYPE_CHECKING:
    from netwright.units.activation import *  # noqa: F403
    from netwright.units.attention import *  # noqa: F403
    from netwright.units.blur import *  # noqa: F403
    from netwright.units.channels import *  # noqa: F403
    from netwright.units.conv import *  # noqa: F403
    from netwright.units.conv_lstm import *  # noqa: F403
    from netwright.units.deform import *  # noqa: F403
    from netwright.units.encoding_pool import *  # noqa: F403
    from netwright.units.filters import *  # noqa: F403
    from netwright.units.global_pool import *  # noqa: F403
    from netwright.units.guided_pool import *  # noqa: F403
    from netwright.units.linear import *  # noqa: F403
    from netwright.units.local import *  # noqa: F403
    from netwright.units.mean_join import *  # noqa: F403
    from netwright.units.mean_pool import *  # noqa: F403
    from netwright.units.norm import *  # noqa: F403
    from netwright.units.order_pool import *  # noqa: F403
    from netwright.units.pool import *  # noqa: F403
    from netwright.units.radial import *  # noqa: F403
    from netwright.units.random_pool import *  # noqa: F403
    from netwright.units.rearrange import *  # noqa: F403
    from netwright.units.recurrent import *  # noqa: F403
    from netwright.units.region_pool import *  # noqa: F403
    from netwright.units.regularise import *  # noqa: F403
    from netwright.units.resample import *  # noqa: F403
    from netwright.units.response_norm import *  # noqa: F403
    from netwright.units.signal_pool import *  # noqa: F403
    from netwright.units.spectral_pool import *  # noqa: F403
    from netwright.units.spectrogram import *  # noqa: F403
    from netwright.units.volterra import *  # noqa: F403
    from netwright.units.weight_norm import *  # noqa: F403
    from netwright.units.window import *  # noqa: F403


def _names(pattern: str) -> list[str]:
    load(__name__)
    return names(Unit, pattern)


lazy(
    __name__,
    {
        "activation": "Activation ELU GELU HardSigmoid HardSwish Identity LeakyReLU Maxout PReLU "
        "ReLU ReLU6 SELU Scale Shift SiLU Sigmoid Sign Softmax Step Tanh",
        "attention": "AdditiveAttention Attention DotAttention HardAttention LocalAttention "
        "MultiHeadAttention",
        "blur": "BlurPool",
        "channels": "Affine Channels LayerScale SelectChannels",
        "conv": "Conv TransposedConv",
        "conv_lstm": "ConvLSTM",
        "deform": "DeformableConv",
        "encoding_pool": "CompactBilinearPool OrderlessPool PCAPool",
        "filters": "Bank FilterBank GaborBank",
        "global_pool": "ChannelMean GeM GlobalMaxPool GlobalPool IntermapPool RowMaxPool "
        "SpatialPyramidPool",
        "guided_pool": "EdgePyramidPool PixelPyramidPool SuperpixelPool",
        "linear": "Flatten Linear Reshape",
        "local": "LocallyConnected TiedGroupedConv TiledConv",
        "mean_join": "Mean WeightedSum",
        "mean_pool": "GatedPool LpPool MixedPool WeightedPool",
        "norm": "BatchNorm ChannelLayerNorm GhostBatchNorm GroupNorm InstanceNorm LayerNorm Norm "
        "SwitchableNorm",
        "order_pool": "MedianPool MinPool OrdinalPool RankAvgPool SortingPool",
        "pool": "AdaptiveAvgPool AvgPool GlobalAvgPool LocalPool MaxPool",
        "radial": "RadialBasis",
        "random_pool": "FractionalMaxPool StochasticPool TournamentPool",
        "rearrange": "ChannelShuffle PadChannels PixelShuffle PixelUnshuffle Subsample",
        "recurrent": "GRU LSTM RNN CatFeatures Recurrent",
        "region_pool": "RegionPool RoIAlign RoIPool",
        "regularise": "Cutout DropBlock DropPath Dropout Dropper ShakeDrop SpatialDropout",
        "resample": "MaxUnpool Upsample",
        "response_norm": "LocalResponseNorm SpatialResponseNorm",
        "signal_pool": "GeneticPool LeapPool",
        "spectral_pool": "SpectralPool WaveletPool",
        "spectrogram": "Spectrogram",
        "volterra": "HigherOrderConv",
        "weight_norm": "MaxNorm Reweighted WeightNorm WeightStandardisation",
        "window": "Convolution GroupedConvolution",
    },
    _names,
)
