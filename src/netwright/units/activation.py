"""Activations: functions of one element."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar

from netwright.core.check import is_number
from netwright.core.cost import Cost
from netwright.core.shape import Shape
from netwright.core.spec import Unit

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "ELU",
    "GELU",
    "Activation",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyReLU",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Tanh",
]


class Activation(Unit, abstract=True):
    """f(x), element by element: any shape -> the same shape. One operation an element."""

    torch_name: ClassVar[str | None] = None
    """The class in `torch.nn`, where it is not called as the unit is."""

    def shape(self, *xs: Shape) -> Shape:
        return xs[0]

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(0, 0, prod(y))

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return getattr(nn, self.torch_name or type(self).__name__)(*self.values())


class Identity(Activation):
    """f(x) = x, free."""

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost()


class ReLU(Activation):
    """f(x) = max(x, 0) (Nair & Hinton 2010).

    >>> ReLU().cost((64, 56, 56), y=(64, 56, 56)).ops
    200704
    """


class ReLU6(Activation):
    """f(x) = min(max(x, 0), 6) (Krizhevsky 2010)."""


class LeakyReLU(Activation):
    """f(x) = x where x > 0, slope x elsewhere (Maas et al. 2013)."""

    slope: float = 0.01

    def check(self) -> None:
        is_number(self, "slope")


class PReLU(Activation):
    """f(x) = x where x > 0, a x elsewhere, a learnt for each channel (He et al. 2015,
    arXiv:1502.01852). C parameters.
    """

    start: float = 0.25

    def check(self) -> None:
        is_number(self, "start")

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(y[0], 0, prod(y))

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return nn.PReLU(xs[0][0], self.start)


class ELU(Activation):
    """f(x) = x where x > 0, alpha (e^x - 1) elsewhere (Clevert et al. 2015, arXiv:1511.07289)."""

    alpha: float = 1.0

    def check(self) -> None:
        is_number(self, "alpha")


class GELU(Activation):
    """f(x) = x Phi(x), Phi the normal distribution (Hendrycks & Gimpel 2016, arXiv:1606.08415)."""


class SiLU(Activation):
    """f(x) = x sigmoid(x), also called Swish (Ramachandran et al. 2017, arXiv:1710.05941)."""


class HardSwish(Activation):
    """f(x) = x min(max(x + 3, 0), 6) / 6 (Howard et al. 2019, arXiv:1905.02244)."""

    torch_name = "Hardswish"


class Sigmoid(Activation):
    """f(x) = 1 / (1 + e^-x)."""


class HardSigmoid(Activation):
    """f(x) = min(max(x + 3, 0), 6) / 6."""

    torch_name = "Hardsigmoid"


class Tanh(Activation):
    """f(x) = tanh(x)."""
