"""Activations: functions of one element, and of the channels of one position."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar

from netwright.core.check import is_count, is_number
from netwright.core.cost import BOTH, INPUT, NOTHING, OUTPUT, VIEW, Cost
from netwright.core.operation import Kind
from netwright.core.shape import Shape, need_rank
from netwright.core.spec import Unit
from netwright.errors import ShapeError

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyReLU",
    "Maxout",
    "PReLU",
    "ReLU",
    "ReLU6",
    "Scale",
    "Shift",
    "SiLU",
    "Sigmoid",
    "Sign",
    "Softmax",
    "Step",
    "Tanh",
]


class Activation(Unit, abstract=True):
    """f(x), element by element: any shape -> the same shape. One operation an element."""

    kind = Kind.ACTIVATION
    keeps = INPUT

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

    kind = Kind.REARRANGEMENT
    keeps = VIEW

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost()


class ReLU(Activation):
    """f(x) = max(x, 0) (Nair & Hinton 2010).

    >>> ReLU().cost((64, 56, 56), y=(64, 56, 56)).ops
    200704
    """

    kind = Kind.RECTIFIER
    keeps = OUTPUT


class ReLU6(Activation):
    """f(x) = min(max(x, 0), 6) (Krizhevsky 2010)."""

    kind = Kind.RECTIFIER


class LeakyReLU(Activation):
    """f(x) = x where x > 0, slope x elsewhere (Maas et al. 2013)."""

    kind = Kind.RECTIFIER

    slope: float = 0.01

    def check(self) -> None:
        is_number(self, "slope")


class PReLU(Activation):
    """f(x) = x where x > 0, a x elsewhere, a learnt for each channel (He et al. 2015,
    arXiv:1502.01852). C parameters.
    """

    kind = Kind.RECTIFIER

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


class SELU(Activation):
    """f(x) = 1.0507 x where x > 0, 1.0507 * 1.6733 (e^x - 1) elsewhere: layers of it drift to mean
    0 and variance 1 (Klambauer et al. 2017, arXiv:1706.02515).
    """


class GELU(Activation):
    """f(x) = x Phi(x), Phi the normal distribution (Hendrycks & Gimpel 2016, arXiv:1606.08415)."""


class SiLU(Activation):
    """f(x) = x sigmoid(x), also called Swish (Ramachandran et al. 2017, arXiv:1710.05941)."""


class HardSwish(Activation):
    """f(x) = x min(max(x + 3, 0), 6) / 6 (Howard et al. 2019, arXiv:1905.02244)."""

    torch_name = "Hardswish"


class Scale(Activation):
    """f(x) = factor x, a fixed number."""

    kind = Kind.ELEMENTWISE
    keeps = NOTHING

    factor: float = 1.0

    def check(self) -> None:
        is_number(self, "factor")

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Scale as Layer

        return Layer(self.factor)


class Shift(Activation):
    """f(x) = x + offset, a fixed number."""

    kind = Kind.ELEMENTWISE
    keeps = NOTHING

    offset: float = 0.0

    def check(self) -> None:
        is_number(self, "offset")

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Shift as Layer

        return Layer(self.offset)


class Sigmoid(Activation):
    """f(x) = 1 / (1 + e^-x)."""

    keeps = OUTPUT


class HardSigmoid(Activation):
    """f(x) = min(max(x + 3, 0), 6) / 6."""

    torch_name = "Hardsigmoid"


class Tanh(Activation):
    """f(x) = tanh(x)."""

    keeps = OUTPUT


class Step(Activation):
    """f(x) = 1 where x >= 0, else 0: the threshold neuron of McCulloch & Pitts 1943.

    The gradient passes straight through where |x| <= 1, as if f were x there (Bengio et al.
    2013, arXiv:1308.3432).
    """

    kind = Kind.RECTIFIER

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Step as Layer

        return Layer()


class Sign(Activation):
    """f(x) = 1 where x >= 0, else -1, as binary nets have it (Hubara et al. 2016,
    arXiv:1602.02830). The gradient passes straight through where |x| <= 1.
    """

    kind = Kind.RECTIFIER

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Sign as Layer

        return Layer()


class Softmax(Unit):
    """y_c = e^(x_c) / sum of e^(x_d) over all channels d, at every position: any shape -> the
    same shape. Three operations an element: exponential, sum, quotient.
    """

    kind = Kind.ACTIVATION
    keeps = OUTPUT

    def shape(self, *xs: Shape) -> Shape:
        return xs[0]

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=3 * prod(y))

    def module(self, *xs: Shape) -> nn.Module:
        from torch import nn

        return nn.Softmax(1)


class Maxout(Unit):
    """The largest of every `pieces` channels in a row: (pieces C, H, W) -> (C, H, W).

    Behind a convolution or dense unit of pieces C outputs it learns any convex function of
    `pieces` linear parts (Goodfellow et al. 2013, arXiv:1302.4389). `pieces` operations an
    output element.

    >>> Maxout(4).shape((64, 8, 8))
    (16, 8, 8)
    """

    kind = Kind.RECTIFIER
    keeps = BOTH

    pieces: int = 2

    def check(self) -> None:
        is_count(self, "pieces")

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_rank("Maxout", x, 1, 4)
        if isinstance(x[0], int) and x[0] % self.pieces:
            raise ShapeError(f"Maxout: pieces {self.pieces} do not divide {x[0]} channels")
        return (x[0] // self.pieces, *x[1:])

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(ops=self.pieces * prod(y))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import Maxout as Layer

        return Layer(self.pieces)
