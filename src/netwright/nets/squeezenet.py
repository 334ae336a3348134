"""SqueezeNet 1.0 and 1.1, with and without bypasses."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.squeezenet import Fire
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.registry import Paper, net
from netwright.units.pool import GlobalAvgPool, MaxPool
from netwright.units.regularise import Dropout

__all__ = ["squeezenet1_0", "squeezenet1_1"]

SQUEEZENET = Paper(
    "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
    "Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer",
    2016,
    "1602.07360",
)
IMAGENET = (3, 224, 224)
FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
"""Table 1 of the paper, fire2 to fire9: s1x1 and e1x1 = e3x3."""


@net("squeezenet1_0", input=IMAGENET, paper=SQUEEZENET)
@net("squeezenet1_0_simple_bypass", input=IMAGENET, paper=SQUEEZENET, bypass="simple")
@net("squeezeresnet_v1_0", input=IMAGENET, paper=SQUEEZENET, bypass="simple")
@net("squeezenet1_0_complex_bypass", input=IMAGENET, paper=SQUEEZENET, bypass="complex")
def squeezenet1_0(bypass: str = "none", classes: int = 1000) -> Spec:
    """Table 1 of the paper: a 7x7 stem, eight fire modules with pools behind fire4 and fire8,
    a 1x1 convolution to a map a class, averaged.

    `bypass` is that of figure 2; pytorchcv calls the simple one `squeezeresnet_v1_0`. The
    paper's input of 224 is a misprint for 227; as in torchvision it stays 224, which gives 109
    positions behind the stem where the table has 111 and 54 behind its pool where it has 55.
    """
    return _squeezenet(ConvNormAct(96, 7, 2, "valid", norm=None), (4, 8), bypass, classes)


@net("squeezenet1_1", input=IMAGENET, paper=SQUEEZENET)
def squeezenet1_1(bypass: str = "none", classes: int = 1000) -> Spec:
    """The authors' later release: a stem of 64 3x3 kernels and pools behind fire3 and fire5,
    2.4 times cheaper than 1.0 at the same accuracy; the paper does not have it.
    """
    return _squeezenet(ConvNormAct(64, 3, 2, "valid", norm=None), (3, 5), bypass, classes)


def _squeezenet(stem: Spec, pools: tuple[int, ...], bypass: str, classes: int) -> Sequential:
    parts: dict[str, Spec] = {"stem": stem, "pool1": MaxPool(3, 2, ceil=True)}
    for i, (squeeze, expanded) in enumerate(FIRES, 2):
        parts[f"fire{i}"] = Fire(squeeze, expanded, bypass)
        if i in pools:
            parts[f"pool{i}"] = MaxPool(3, 2, ceil=True)
    head = Sequential(
        drop=Dropout(0.5), conv=ConvNormAct(classes, 1, norm=None), pool=GlobalAvgPool()
    )
    return Sequential(**parts, head=head)
