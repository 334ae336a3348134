"""FitNets: thin and deep maxout nets for CIFAR-10, students of a wider one."""

from __future__ import annotations

from netwright.blocks.mlp import MaxoutLinear
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.activation import Maxout
from netwright.units.conv import Conv
from netwright.units.global_pool import GlobalMaxPool
from netwright.units.linear import Linear
from netwright.units.pool import MaxPool

__all__ = ["FOUR", "fitnet"]

FITNETS = Paper(
    "FitNets: Hints for Thin Deep Nets",
    "Romero, Ballas, Kahou, Chassang, Gatta, Bengio",
    2014,
    "1412.6550",
)
CIFAR = (3, 32, 32)
_ONE = ((16, 16, 16), (32, 32, 32), (48, 48, 64))
_TWO = ((16, 32, 32), (48, 64, 80), (96, 96, 128))
_THREE = ((64, 64, 64, 64), (80, 80, 80, 80), (128, 128, 128))
FOUR = ((32, 32, 32, 48, 48), (80,) * 6, (128,) * 6)


@net("fitnet1_cifar10", input=CIFAR, paper=FITNETS, widths=_ONE)
@net("fitnet2_cifar10", input=CIFAR, paper=FITNETS, widths=_TWO)
@net("fitnet3_cifar10", input=CIFAR, paper=FITNETS, widths=_THREE)
@net("fitnet4_cifar10", input=CIFAR, paper=FITNETS, widths=FOUR)
def fitnet(
    widths: tuple[tuple[int, ...], ...], pieces: int = 2, hidden: int = 500, classes: int = 10
) -> Spec:
    """Three stages of 3x3 convolutions with maxout and max pooling, one maxout layer of
    `hidden` units, one dense unit: 11, 11, 13 and 19 layers of weights.

    The published counts hold: 250 thousand, 862 thousand, 1.6 and 2.5 million parameters; 30,
    108, 392 and 382 million multiplications in the convolutions. The stages of FitNet-3 are
    those regular ones that meet them.
    """
    need_counts(pieces=pieces, hidden=hidden)
    parts: dict[str, Spec] = {}
    for i, stage in enumerate(widths, 1):
        need_counts(widths=stage)
        convs = [Sequential(conv=Conv(w * pieces), max=Maxout(pieces)) for w in stage]
        parts[f"stage{i}"] = Sequential(*convs)
        parts[f"pool{i}"] = MaxPool(2) if i < len(widths) else GlobalMaxPool()
    return Sequential(**parts, fc1=MaxoutLinear(hidden, pieces), fc2=Linear(classes))
