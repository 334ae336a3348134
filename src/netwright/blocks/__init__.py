"""What papers name: fields that become wiring once the input shape is known."""

from typing import TYPE_CHECKING

from netwright.core.lazy import lazy, load
from netwright.core.spec import Block, names

if TYPE_CHECKING:
    from netwright.blocks.aspp import *  # noqa: F403
    from netwright.blocks.attention import *  # noqa: F403
    from netwright.blocks.blur import *  # noqa: F403
    from netwright.blocks.cell import *  # noqa: F403
    from netwright.blocks.competitive import *  # noqa: F403
    from netwright.blocks.conv import *  # noqa: F403
    from netwright.blocks.convnext import *  # noqa: F403
    from netwright.blocks.darknet import *  # noqa: F403
    from netwright.blocks.densenet import *  # noqa: F403
    from netwright.blocks.edge import *  # noqa: F403
    from netwright.blocks.edge_cell import *  # noqa: F403
    from netwright.blocks.genotype import *  # noqa: F403
    from netwright.blocks.ghostnet import *  # noqa: F403
    from netwright.blocks.grouped import *  # noqa: F403
    from netwright.blocks.highway import *  # noqa: F403
    from netwright.blocks.hrnet import *  # noqa: F403
    from netwright.blocks.inception import *  # noqa: F403
    from netwright.blocks.inception_naive import *  # noqa: F403
    from netwright.blocks.inception_resnet import *  # noqa: F403
    from netwright.blocks.lenet import *  # noqa: F403
    from netwright.blocks.mlp import *  # noqa: F403
    from netwright.blocks.mobile import *  # noqa: F403
    from netwright.blocks.nin import *  # noqa: F403
    from netwright.blocks.ordering import *  # noqa: F403
    from netwright.blocks.polynet import *  # noqa: F403
    from netwright.blocks.preresnet import *  # noqa: F403
    from netwright.blocks.pseudo3d import *  # noqa: F403
    from netwright.blocks.pyramid import *  # noqa: F403
    from netwright.blocks.random_graph import *  # noqa: F403
    from netwright.blocks.randwire import *  # noqa: F403
    from netwright.blocks.recurrent import *  # noqa: F403
    from netwright.blocks.regnet import *  # noqa: F403
    from netwright.blocks.residual_attention import *  # noqa: F403
    from netwright.blocks.resnet import *  # noqa: F403
    from netwright.blocks.resnext import *  # noqa: F403
    from netwright.blocks.scse import *  # noqa: F403
    from netwright.blocks.senet import *  # noqa: F403
    from netwright.blocks.separable import *  # noqa: F403
    from netwright.blocks.shufflenet import *  # noqa: F403
    from netwright.blocks.squeezenet import *  # noqa: F403
    from netwright.blocks.stage import *  # noqa: F403
    from netwright.blocks.swidernet import *  # noqa: F403
    from netwright.blocks.unet import *  # noqa: F403
    from netwright.blocks.vgg import *  # noqa: F403
    from netwright.blocks.xception import *  # noqa: F403


def _names(pattern: str) -> list[str]:
    load(__name__)
    return names(Block, pattern)


lazy(
    __name__,
    {
        "aspp": "ASPP",
        "attention": "BAM CBAM ECA SqueezeExcite",
        "blur": "MaxBlurPool",
        "cell": "Cell",
        "competitive": "CompetitiveExcite",
        "conv": "ConvNormAct DepthwiseConv DilatedConv PointwiseConv conv_norm conv_norm_act",
        "convnext": "ConvNextBlock InvertedBottleneck",
        "darknet": "DarkBlock",
        "densenet": "DenseBlock DenseLayer Transition",
        "edge": "OPERATIONS Edge FactorisedReduction",
        "edge_cell": "EdgeCell",
        "genotype": "CellGenotype Genotype",
        "ghostnet": "GhostBottleneck GhostModule",
        "grouped": "GroupedConv ShuffledGroupedConv",
        "highway": "Highway",
        "hrnet": "ExchangeUnit HighResolutionModule StreamTransition",
        "inception": "AuxiliaryHead GridReduction Inception InceptionA InceptionB InceptionC",
        "inception_naive": "NaiveInception",
        "inception_resnet": "InceptionResidual",
        "lenet": "TableConv",
        "mlp": "MLP MaxoutLinear",
        "mobile": "FusedMBConv InvertedResidual MBConv MobileConv MobileNetV3Block",
        "nin": "MlpConv",
        "ordering": "ResidualUnit",
        "polynet": "PolyModule TwoWayModule",
        "preresnet": "PreBasicBlock PreBottleneck",
        "pseudo3d": "Conv2Plus1d P3dBottleneck Pseudo3dConv R2Plus1dBlock",
        "pyramid": "PyramidBlock PyramidBottleneck",
        "random_graph": "BarabasiAlbert Edges ErdosRenyi RandomGraph WattsStrogatz",
        "randwire": "RandomNode RandomStage",
        "recurrent": "DenseBiLstm",
        "regnet": "RegNetBlock",
        "residual_attention": "AttentionModule",
        "resnet": "BasicBlock Bottleneck Shortcut",
        "scse": "CSE SCSE SSE",
        "resnext": "ResNeXtBlock",
        "senet": "SENetBottleneck",
        "separable": "FlattenedConv SeparableConv SpatiallySeparableConv",
        "shufflenet": "ShuffleUnit ShuffleUnitV2",
        "squeezenet": "Fire",
        "stage": "Stage",
        "swidernet": "WideningBottleneck",
        "unet": "DoubleConv UNetDown UNetUp",
        "vgg": "VggBlock",
        "xception": "XceptionBlock",
    },
    _names,
)
