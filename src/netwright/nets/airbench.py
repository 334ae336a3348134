"""Nets that learn CIFAR-10 in seconds: airbench."""

from __future__ import annotations

from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.activation import GELU, Scale
from netwright.units.conv import Conv
from netwright.units.linear import Flatten, Linear
from netwright.units.norm import BatchNorm
from netwright.units.pool import MaxPool

__all__ = ["airbench"]

AIRBENCH = Paper("94% on CIFAR-10 in 3.29 Seconds on a Single GPU", "Jordan", 2024, "2404.00498")


@net("airbench94_cifar10", input=(3, 32, 32), paper=AIRBENCH)
@net("airbench95_cifar10", input=(3, 32, 32), paper=AIRBENCH, widths=(128, 384, 384))
def airbench(widths: tuple[int, int, int] = (64, 256, 256), classes: int = 10) -> Spec:
    """A 2x2 convolution that whitens patches, three stages of two 3x3 convolutions with a max
    pool behind the first, a pool over what is left, one dense unit times 1/9.

    The first convolution has two filters for each of the 12 inputs of its window, one the
    negative of the other: the recipe `airbench` sets them to the patches' principal
    components and leaves them so. The paper's batch norms have no factors; ours learn them.
    """
    need_counts(widths=widths)
    stages = {f"stage{i}": _stage(width) for i, width in enumerate(widths, 1)}
    return Sequential(
        stem=Sequential(conv=Conv(24, 2, padding=0, bias=True), act=GELU()),
        **stages,
        head=Sequential(
            pool=MaxPool(3), flatten=Flatten(), fc=Linear(classes, bias=False), scale=Scale(1 / 9)
        ),
    )


def _stage(width: int) -> Sequential:
    return Sequential(
        conv1=Conv(width, 3, bias=False),
        pool=MaxPool(2),
        norm1=BatchNorm(momentum=0.4),
        act1=GELU(),
        conv2=Conv(width, 3, bias=False),
        norm2=BatchNorm(momentum=0.4),
        act2=GELU(),
    )
