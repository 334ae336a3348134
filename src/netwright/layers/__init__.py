"""Torch modules PyTorch lacks; they know nothing of specs and can be used alone."""

from typing import TYPE_CHECKING

from netwright.core.lazy import lazy

if TYPE_CHECKING:
    from netwright.layers.activation import *  # noqa: F403
    from netwright.layers.attention import *  # noqa: F403
    from netwright.layers.basic import *  # noqa: F403
    from netwright.layers.blur import *  # noqa: F403
    from netwright.layers.channels import *  # noqa: F403
    from netwright.layers.conv import *  # noqa: F403
    from netwright.layers.conv_lstm import *  # noqa: F403
    from netwright.layers.deform import *  # noqa: F403
    from netwright.layers.encoding_pool import *  # noqa: F403
    from netwright.layers.filters import *  # noqa: F403
    from netwright.layers.global_pool import *  # noqa: F403
    from netwright.layers.guided_pool import *  # noqa: F403
    from netwright.layers.local import *  # noqa: F403
    from netwright.layers.mean_join import *  # noqa: F403
    from netwright.layers.mean_pool import *  # noqa: F403
    from netwright.layers.norm import *  # noqa: F403
    from netwright.layers.order_pool import *  # noqa: F403
    from netwright.layers.padding import *  # noqa: F403
    from netwright.layers.radial import *  # noqa: F403
    from netwright.layers.random_pool import *  # noqa: F403
    from netwright.layers.recurrent import *  # noqa: F403
    from netwright.layers.region_pool import *  # noqa: F403
    from netwright.layers.regularise import *  # noqa: F403
    from netwright.layers.resample import *  # noqa: F403
    from netwright.layers.signal_pool import *  # noqa: F403
    from netwright.layers.spectral_pool import *  # noqa: F403
    from netwright.layers.spectrogram import *  # noqa: F403
    from netwright.layers.volterra import *  # noqa: F403
    from netwright.layers.weight_norm import *  # noqa: F403

lazy(
    __name__,
    {
        "activation": "Maxout Sign Step straight_through",
        "attention": "AdditiveAttention DotAttention HardAttention LocalAttention "
        "MultiHeadAttention",
        "basic": "Add Cat GlobalAvgPool Mul PadChannels Reshape Scale Shift Subsample",
        "blur": "BlurPool shift_agreement shift_similarity",
        "channels": "Affine Channels LayerScale SelectChannels",
        "conv": "CroppedConv1d CroppedConv2d CroppedConv3d PaddedConv1d PaddedConv2d PaddedConv3d "
        "RandomlyPaddedConv1d RandomlyPaddedConv2d RandomlyPaddedConv3d TiedGroupedConv "
        "cropped_conv padded_conv randomly_padded_conv",
        "conv_lstm": "ConvLSTM",
        "deform": "DeformableConv2d deformed_columns",
        "encoding_pool": "CompactBilinearPool OrderlessPool PCAPool",
        "filters": "FILTERS FilterBank bank_ box emboss gabor gabor_bank gabor_response gaussian "
        "identity laplacian sharpen sobel",
        "global_pool": "ChannelMean GeM GlobalMaxPool RowMaxPool SpatialPyramidPool",
        "guided_pool": "EdgePyramidPool PixelPyramidPool SuperpixelPool",
        "local": "LocallyConnected TiledConv columns",
        "mean_join": "Mean WeightedSum",
        "mean_pool": "GatedPool LpPool MixedPool WeightedPool",
        "norm": "ChannelLayerNorm GhostBatchNorm1d GhostBatchNorm2d GhostBatchNorm3d "
        "SpatialResponseNorm SwitchableNorm ghost_batch_norm",
        "order_pool": "MedianPool MinPool OrdinalPool RankAvgPool exchanges",
        "padding": "pad random_pad",
        "radial": "RadialBasis",
        "random_pool": "FractionalMaxPool StochasticPool TournamentPool",
        "recurrent": "GRU LSTM RNN CatFeatures",
        "region_pool": "RoIAlign RoIPool",
        "regularise": "Cutout DropBlock DropPath ShakeDrop smooth_labels",
        "resample": "MaxUnpool",
        "signal_pool": "GeneticPool LeapPool",
        "spectral_pool": "SpectralPool WaveletPool low_pass",
        "spectrogram": "Spectrogram",
        "volterra": "DiagonalVolterraConv VolterraConv",
        "weight_norm": "MaxNorm WeightNorm WeightStandardisation",
    },
)
