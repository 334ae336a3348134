"""HRNet: streams of high to low resolution beside each other, for classes, poses and regions."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct, conv_norm_act
from netwright.blocks.hrnet import HighResolutionModule, StreamTransition
from netwright.blocks.resnet import Bottleneck
from netwright.core.graph import Graph, Node
from netwright.core.join import Add
from netwright.core.spec import Spec
from netwright.core.wiring import Concat, Parallel, Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.activation import Identity
from netwright.units.conv import Conv
from netwright.units.resample import Upsample

__all__ = ["hrnet", "hrnet_v1", "hrnet_v2"]

POSE = Paper(
    "Deep High-Resolution Representation Learning for Human Pose Estimation",
    "Sun, Xiao, Liu, Wang",
    2019,
    "1902.09212",
)
HRNET = Paper(
    "Deep High-Resolution Representation Learning for Visual Recognition",
    "Wang, Sun, Cheng, Jiang, Deng, Zhao, Liu, Mu, Tan, Wang, Liu, Xiao",
    2019,
    "1908.07919",
)
MODULES = (1, 4, 3)
"""High-resolution modules in stages 2 to 4 (section 3 of the second paper)."""


@net("hrnet_w18", input=(3, 224, 224), paper=HRNET, width=18)
@net("hrnet_w32", input=(3, 224, 224), paper=HRNET, width=32)
@net("hrnet_w48", input=(3, 224, 224), paper=HRNET, width=48)
def hrnet(width: int, modules: tuple[int, ...] = MODULES, classes: int = 1000) -> Spec:
    """HRNet-W`width`-C, for classes (appendix of the paper): bottlenecks widen the four streams
    to 128, 256, 512 and 1024, each is brought down and added to the next, a 1x1 convolution
    makes 2048.

    As in timm and the authors' code the convolutions of this head have biases before their
    batch norm.
    """
    widths = [32 * 2**i for i in range(len(modules) + 1)]
    return Sequential(
        **_streams(width, modules),
        widen=Parallel(*[Bottleneck(n) for n in widths]),
        down=_down([4 * n for n in widths]),
        conv=ConvNormAct(2048, 1, bias=True),
        head=pooled(classes),
    )


@net("hrnetv1_w18", input=(3, 256, 192), paper=POSE, width=18)
@net("hrnetv1_w32", input=(3, 256, 192), paper=POSE, width=32)
@net("hrnetv1_w48", input=(3, 256, 192), paper=POSE, width=48)
def hrnet_v1(width: int, modules: tuple[int, ...] = MODULES, classes: int = 17) -> Spec:
    """HRNetV1, a heat map a joint of the body (the first paper): of the last exchange only the
    stream of high resolution is made.
    """
    return Sequential(**_streams(width, modules, outputs=1), head=Conv(classes, 1))


@net("hrnetv2_w18", input=(3, 512, 1024), paper=HRNET, width=18)
@net("hrnetv2_w32", input=(3, 512, 1024), paper=HRNET, width=32)
@net("hrnetv2_w48", input=(3, 512, 1024), paper=HRNET, width=48)
def hrnet_v2(width: int, modules: tuple[int, ...] = MODULES, classes: int = 19) -> Spec:
    """HRNetV2, a class a position (section 3.3 and figure 4b of the paper): all streams are
    brought up to the first and put side by side, two 1x1 convolutions classify, and the
    scores are brought up to the image.
    """
    ups = [Upsample(2**i, "linear") for i in range(1, len(modules) + 1)]
    total = sum(width * 2**i for i in range(len(modules) + 1))
    return Sequential(
        **_streams(width, modules),
        side_by_side=Concat(Identity(), *ups),
        conv=ConvNormAct(total, 1, bias=True),
        head=Sequential(conv=Conv(classes, 1), up=Upsample(4, "linear")),
    )


def _streams(width: int, modules: tuple[int, ...], outputs: int = 0) -> dict[str, Spec]:
    """Stem and stages: stage 1 is bottlenecks, every further one begins with a new stream,
    half as fine and twice as wide as the last. Of the last `outputs` streams are made.
    """
    need_counts(width=width, modules=modules)
    parts: dict[str, Spec] = {
        "stem": Sequential(conv1=conv_norm_act(64, 3, 2), conv2=conv_norm_act(64, 3, 2)),
        "stage1": Sequential(*[Bottleneck(64)] * 4),
    }
    for i, count in enumerate(modules):
        parts[f"transition{i + 1}"] = StreamTransition(tuple(width * 2**j for j in range(i + 2)))
        last = HighResolutionModule(outputs=outputs if i == len(modules) - 1 else 0)
        parts[f"stage{i + 2}"] = Sequential(*[HighResolutionModule()] * (count - 1), last)
    return parts


def _down(widths: list[int]) -> Graph:
    """Every stream brought down to the next and added to it."""
    nodes: dict[str, Spec] = {}
    last = "input0"
    for i, width in enumerate(widths[1:], 1):
        nodes[f"conv{i}"] = Node(ConvNormAct(width, 3, 2, bias=True), last)
        nodes[f"sum{i}"] = Node(Add(), f"conv{i}", f"input{i}")
        last = f"sum{i}"
    return Graph(**nodes)
