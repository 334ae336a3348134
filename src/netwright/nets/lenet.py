"""LeNet-5."""

from __future__ import annotations

from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.registry import Paper, net
from netwright.units.activation import Tanh
from netwright.units.conv import Conv
from netwright.units.linear import Flatten, Linear
from netwright.units.pool import AvgPool

__all__ = ["lenet5"]

LENET = Paper(
    "Gradient-Based Learning Applied to Document Recognition",
    "LeCun, Bottou, Bengio, Haffner",
    1998,
)


@net("lenet5", input=(1, 32, 32), paper=LENET)
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
