"""Fully convolutional nets for segmentation: FCN-32s, -16s and -8s, and DeepLab-v3."""

from __future__ import annotations

from netwright.blocks.aspp import ASPP
from netwright.blocks.conv import conv_norm_act
from netwright.blocks.resnet import Bottleneck
from netwright.blocks.vgg import VggBlock
from netwright.core.graph import Graph, Node, Tap
from netwright.core.join import Add
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.nets.resnet import stages
from netwright.units.activation import ReLU
from netwright.units.conv import Conv, TransposedConv
from netwright.units.pool import MaxPool
from netwright.units.regularise import Dropout
from netwright.units.resample import Upsample

__all__ = ["deeplabv3", "fcn", "fcn_resnet"]

FCN = Paper(
    "Fully Convolutional Networks for Semantic Segmentation",
    "Long, Shelhamer, Darrell",
    2014,
    "1411.4038",
)
DEEPLAB = Paper(
    "Rethinking Atrous Convolution for Semantic Image Segmentation",
    "Chen, Papandreou, Schroff, Adam",
    2017,
    "1706.05587",
)
IMAGE = (3, 224, 224)


@net("fcn32s", input=IMAGE, paper=FCN, skips=())
@net("fcn16s", input=IMAGE, paper=FCN, skips=(4,))
@net("fcn8s", input=IMAGE, paper=FCN, skips=(4, 3))
def fcn(skips: tuple[int, ...], width: int = 64, hidden: int = 4096, classes: int = 21) -> Spec:
    """VGG-16 with its dense units as convolutions, scores of every class brought back to the
    size of the image (section 4): (C, H, W) -> (classes, H, W).

    `skips` are the stages whose pooled maps are scored too, from coarse to fine, and added on
    the way up. Scores grow by transposed convolutions without biases of twice the stride; the
    paper starts them as bilinear interpolation and holds the last one there, here they are
    weights like others. Convolutions pad as VGG's do, and H and W are multiples of 32; the
    paper pads the image by 100 and crops what it adds.
    """
    need_counts(width=width, hidden=hidden)
    depths = enumerate((2, 2, 3, 3, 3))
    parts: dict[str, Spec] = {
        f"stage{i + 1}": VggBlock(width * min(2**i, 8), depth) for i, depth in depths
    }
    for name, kernel in (("fc6", 7), ("fc7", 1)):
        parts[name] = Sequential(conv=Conv(hidden, kernel), act=ReLU(), drop=Dropout(0.5))
    parts["score"] = Conv(classes, 1)
    stride = 32
    for stage in skips:
        parts[f"grow{stage}"] = _grown(classes, 2)
        parts[f"score{stage}"] = Node(Conv(classes, 1), f"stage{stage}")
        parts[f"sum{stage}"] = Node(Add(), f"grow{stage}", f"score{stage}")
        stride //= 2
    return Graph(**parts, grow=_grown(classes, stride))


def _grown(classes: int, stride: int) -> TransposedConv:
    """Maps `stride` times as large."""
    return TransposedConv(classes, 2 * stride, stride, stride // 2, bias=False)


@net("fcn_resnet50", input=IMAGE, paper=FCN, depths=(3, 4, 6, 3))
@net("fcn_resnet101", input=IMAGE, paper=FCN, depths=(3, 4, 23, 3))
def fcn_resnet(
    depths: tuple[int, ...], width: int = 64, aux: bool = False, classes: int = 21
) -> Spec:
    """A dilated ResNet scored by a 3x3 and a 1x1 convolution, as torchvision builds it:
    (C, H, W) -> (classes, H, W). The paper has other bodies, and no dilation.

    With `aux` the stage before the last is scored too, with weight 0.5, for training.
    """
    return _segmenter(depths, width, aux, classes, _scores(8 * width, classes))


@net("deeplabv3_resnet50", input=IMAGE, paper=DEEPLAB, depths=(3, 4, 6, 3))
@net("deeplabv3_resnet101", input=IMAGE, paper=DEEPLAB, depths=(3, 4, 23, 3))
def deeplabv3(
    depths: tuple[int, ...],
    width: int = 64,
    rates: tuple[int, ...] = (12, 24, 36),
    aux: bool = False,
    classes: int = 21,
) -> Spec:
    """A ResNet that advances by 8 pixels, dilated from there on, an atrous pyramid, a 3x3 and a
    1x1 convolution: (C, H, W) -> (classes, H, W). `aux` as in `fcn_resnet`.

    As in torchvision: a plain dilated last stage in the place of the paper's multi-grid, a 3x3
    convolution before the scores, and rates of 12, 24 and 36.
    """
    pyramid = ASPP(4 * width, rates)
    head = Sequential(aspp=pyramid, conv=conv_norm_act(4 * width), score=Conv(classes, 1))
    return _segmenter(depths, width, aux, classes, head)


def _segmenter(
    depths: tuple[int, ...], width: int, aux: bool, classes: int, head: Sequential
) -> Sequential:
    """A ResNet of bottlenecks whose last two stages dilate instead of advancing, its head, and
    scores as large as the image; H and W are multiples of 8.
    """
    need_counts(depths=depths, width=width)
    grow = Upsample(8, "linear")
    parts: dict[str, Spec] = {
        "stem": Sequential(conv=conv_norm_act(width, 7, 2), pool=MaxPool(3, 2, padding=1)),
        **stages(depths[:2], Bottleneck(width)),
        "stage3": _stage(depths[2], 4 * width, 1),
    }
    if aux:
        parts["aux"] = Tap(_scores(4 * width, classes).put(grow=grow), 0.5)
    return Sequential(**parts, stage4=_stage(depths[3], 8 * width, 2), head=head, grow=grow)


def _stage(depth: int, width: int, dilation: int) -> Sequential:
    """Bottlenecks that would come after a stride of 2: all but the first dilate twice as far."""
    first = Bottleneck(width, dilation=dilation)
    return Sequential(first, *[Bottleneck(width, dilation=2 * dilation)] * (depth - 1))


def _scores(width: int, classes: int) -> Sequential:
    """The head of torchvision's FCNs."""
    return Sequential(conv=conv_norm_act(width), drop=Dropout(0.1), score=Conv(classes, 1))
