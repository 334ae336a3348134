"""AlexNet and ZFNet."""

from __future__ import annotations

from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import dense
from netwright.nets.registry import Paper, net
from netwright.units.activation import ReLU
from netwright.units.conv import Conv
from netwright.units.pool import MaxPool
from netwright.units.response_norm import LocalResponseNorm

__all__ = ["alexnet"]

ALEXNET = Paper(
    "ImageNet Classification with Deep Convolutional Neural Networks",
    "Krizhevsky, Sutskever, Hinton",
    2012,
)
ONE_TOWER = Paper(
    "One weird trick for parallelizing convolutional neural networks",
    "Krizhevsky",
    2014,
    "1404.5997",
)
ZFNET = Paper(
    "Visualizing and Understanding Convolutional Networks", "Zeiler, Fergus", 2013, "1311.2901"
)
_ALEX = (Conv(64, 11, 4, padding=2), Conv(192, 5), Conv(384), Conv(256), Conv(256))
_TOWERS = (
    Conv(96, 11, 4, padding="valid"), Conv(256, 5, groups=2),
    Conv(384), Conv(384, groups=2), Conv(256, groups=2),
)  # fmt: skip
_ZF = (Conv(96, 7, 2, padding=1), Conv(256, 5, 2, padding="valid"), Conv(384), Conv(384), Conv(256))


@net("alexnet", input=(3, 224, 224), paper=ONE_TOWER)
@net("alexnet_grouped", input=(3, 227, 227), paper=ALEXNET, convs=_TOWERS, norm=LocalResponseNorm())
@net("zfnet", input=(3, 224, 224), paper=ZFNET, convs=_ZF, norm=LocalResponseNorm(), ceil=True)
def alexnet(
    convs: tuple[Conv, ...] = _ALEX,
    norm: LocalResponseNorm | None = None,
    ceil: bool = False,
    hidden: int = 4096,
    classes: int = 1000,
) -> Spec:
    """Figure 2 of the 2012 paper: five convolutions, pooling behind the first, second and
    last, three dense units.

    `alexnet` is the one tower of the 2014 paper, as in torchvision, with narrower layers and
    no local response normalisation. `alexnet_grouped` is the 2012 net, its two towers as two
    groups; its normalisation comes before the pooling, alpha = 1e-4 divided by its 5
    channels as in PyTorch. `zfnet` is figure 3 of Zeiler & Fergus, its pools rounded up to
    reach 55, 13 and 6 positions without padding, as in pytorchcv.
    """
    parts: dict[str, Spec] = {}
    for i, conv in enumerate(convs, 1):
        parts |= {f"conv{i}": conv, f"act{i}": ReLU()}
        if norm and i <= 2:
            parts[f"norm{i}"] = norm
        if i in (1, 2, len(convs)):
            parts[f"pool{i}"] = MaxPool(3, 2, ceil=ceil)
    return Sequential(**parts, head=dense(classes, grid=6, hidden=hidden))
