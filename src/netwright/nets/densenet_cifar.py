"""DenseNet-40 to DenseNet-250 for CIFAR-10, plain and with bottlenecks and compression (BC)."""

from __future__ import annotations

from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import SpecError
from netwright.nets.densenet import DENSENET, dense_stages
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import net
from netwright.units.activation import ReLU
from netwright.units.conv import Conv
from netwright.units.norm import BatchNorm

__all__ = ["densenet_cifar"]

CIFAR = (3, 32, 32)


@net("densenet40_k12_cifar10", input=CIFAR, paper=DENSENET, depth=40, growth=12)
@net("densenet100_k12_cifar10", input=CIFAR, paper=DENSENET, depth=100, growth=12)
@net("densenet100_k24_cifar10", input=CIFAR, paper=DENSENET, depth=100, growth=24)
@net("densenet100_k12_bc_cifar10", input=CIFAR, paper=DENSENET, depth=100, growth=12, bc=True)
@net("densenet190_k40_bc_cifar10", input=CIFAR, paper=DENSENET, depth=190, growth=40, bc=True)
@net("densenet250_k24_bc_cifar10", input=CIFAR, paper=DENSENET, depth=250, growth=24, bc=True)
def densenet_cifar(depth: int, growth: int = 12, bc: bool = False, classes: int = 10) -> Spec:
    """Section 3 of the paper: a 3x3 convolution, three dense blocks of equal depth with
    transitions between them, batch norm, a pooled head.

    Plain, a layer is one 3x3 convolution, transitions keep the width and the net's first
    convolution has 16 channels. With `bc` a layer begins with a 1x1 bottleneck to 4 growth
    channels, transitions halve the width and the first convolution has 2 growth channels.
    The 20% dropout that the paper adds where images are not augmented is left out.
    """
    need_counts(depth=depth, growth=growth)
    layers, rest = divmod(depth - 4, 6 if bc else 3)
    if layers < 1 or rest:
        wanted = "6n + 4, such as 100, 190 or 250" if bc else "3n + 4, such as 40 or 100"
        raise SpecError(f"depth is {depth}, wanted {wanted}")
    return Sequential(
        stem=Conv(2 * growth if bc else 16, bias=False),
        **dense_stages((layers,) * 3, growth, 4 if bc else 0, 0.5 if bc else 1.0),
        norm=BatchNorm(),
        act=ReLU(),
        head=pooled(classes),
    )
