"""ResNet-20 to ResNet-110 for CIFAR-10."""

from __future__ import annotations

from netwright.blocks.conv import conv_norm_act
from netwright.blocks.resnet import BasicBlock
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import SpecError
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.resnet import RESNET, stages
from netwright.registry import net

__all__ = ["resnet_cifar"]

CIFAR = (3, 32, 32)


@net("resnet20_cifar10", input=CIFAR, paper=RESNET, depth=20)
@net("resnet32_cifar10", input=CIFAR, paper=RESNET, depth=32)
@net("resnet44_cifar10", input=CIFAR, paper=RESNET, depth=44)
@net("resnet56_cifar10", input=CIFAR, paper=RESNET, depth=56)
@net("resnet110_cifar10", input=CIFAR, paper=RESNET, depth=110)
@net("resnet20_cifar10_a", input=CIFAR, paper=RESNET, depth=20, shortcut="A")
@net("resnet32_cifar10_a", input=CIFAR, paper=RESNET, depth=32, shortcut="A")
@net("resnet44_cifar10_a", input=CIFAR, paper=RESNET, depth=44, shortcut="A")
@net("resnet56_cifar10_a", input=CIFAR, paper=RESNET, depth=56, shortcut="A")
@net("resnet110_cifar10_a", input=CIFAR, paper=RESNET, depth=110, shortcut="A")
def resnet_cifar(depth: int, width: int = 16, shortcut: str = "B", classes: int = 10) -> Spec:
    """Section 4.2 of the paper: a 3x3 stem, three stages of (depth - 2) / 6 basic blocks, a
    pooled head.

    The names ending in `_a` have the paper's shortcuts, sub-sampled and padded with zeros
    (option A); the others project where the shape changes (option B), as in pytorchcv.
    """
    need_counts(depth=depth)
    if depth < 8 or (depth - 2) % 6:
        raise SpecError(f"depth is {depth}, wanted 6n + 2, such as 20, 32, 44, 56 or 110")
    depths = ((depth - 2) // 6,) * 3
    return Sequential(
        stem=conv_norm_act(width),
        **stages(depths, BasicBlock(width, shortcut=shortcut)),
        head=pooled(classes),
    )
