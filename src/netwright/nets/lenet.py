"""LeNet-5, as it is mostly built and as it was."""

from __future__ import annotations

from netwright.blocks.lenet import TableConv
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.registry import Paper, net
from netwright.units.activation import Scale, Tanh
from netwright.units.channels import Affine
from netwright.units.conv import Conv
from netwright.units.linear import Flatten, Linear
from netwright.units.pool import AvgPool
from netwright.units.radial import RadialBasis

__all__ = ["lenet5", "lenet5_original"]

LENET = Paper(
    "Gradient-Based Learning Applied to Document Recognition",
    "LeCun, Bottou, Bengio, Haffner",
    1998,
)
IMAGE = (1, 32, 32)
TABLE = (
    *((i, (i + 1) % 6, (i + 2) % 6) for i in range(6)),
    *((i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6) for i in range(6)),
    *((i, i + 1, (i + 3) % 6, (i + 4) % 6) for i in range(3)),
    (0, 1, 2, 3, 4, 5),
)
"""Table I of the paper: the maps of S2 that each of the 16 maps of C3 reads."""


@net("lenet5", input=IMAGE, paper=LENET)
def lenet5(classes: int = 10) -> Spec:
    """Figure 2 of the paper, unit by unit.

    Simpler than the paper, as it is mostly built: C3 reads all six maps instead of a table's
    choice, sub-sampling has no weights, tanh is not scaled, and the output is dense instead
    of radial basis functions. C5, a convolution over the whole 5x5 map, is the dense unit it
    equals at 32x32, so that other sizes fit.
    """
    return Sequential(
        c1=Conv(6, 5, padding="valid"), act1=Tanh(),
        s2=AvgPool(2),
        c3=Conv(16, 5, padding="valid"), act3=Tanh(),
        s4=AvgPool(2),
        flatten=Flatten(),
        c5=Linear(120), act5=Tanh(),
        f6=Linear(84), act6=Tanh(),
        output=Linear(classes),
    )  # fmt: skip


@net("lenet5_original", input=IMAGE, paper=LENET)
def lenet5_original(classes: int = 10) -> Spec:
    """Section II.B of the paper, with its 60,000 parameters: a table says which maps of S2
    each map of C3 reads, sub-sampling has a factor and a shift a map, and the output is the
    distance to fixed codes.

    Every layer up to F6 is followed by 1.7159 tanh(2/3 x) (appendix A of the paper). S2 and
    S4 take the mean where the paper takes the sum, which their factors make up for. The
    output is the negative distance, so that the largest one wins as in other nets; see
    `RadialBasis` for the codes.
    """
    squash = Sequential(inner=Scale(2 / 3), tanh=Tanh(), outer=Scale(1.7159))
    subsample = Sequential(pool=AvgPool(2), weigh=Affine(), act=squash)
    return Sequential(
        c1=Conv(6, 5, padding="valid"), act1=squash,
        s2=subsample,
        c3=TableConv(TABLE, 5), act3=squash,
        s4=subsample,
        flatten=Flatten(),
        c5=Linear(120), act5=squash,
        f6=Linear(84), act6=squash,
        output=RadialBasis(classes), sign=Scale(-1.0),
    )  # fmt: skip
