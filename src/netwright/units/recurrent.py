"""Recurrence over sequences: (T, F), time first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from netwright.core.check import is_choice
from netwright.core.cost import NOTHING, Cost
from netwright.core.field import UNKNOWN, WHOLE, Taps, Window
from netwright.core.operation import Kind
from netwright.core.shape import Shape, show
from netwright.core.spec import Unit
from netwright.errors import ShapeError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["GRU", "LSTM", "RNN", "CatFeatures", "Recurrent", "causal", "need_sequence"]


def need_sequence(who: str, *xs: Shape) -> None:
    """Raise `ShapeError` unless every input is a sequence of vectors."""
    if any(len(x) != 2 for x in xs):
        raise ShapeError(
            f"{who} takes (T, F), got {show(xs)}; pool or flatten every step of time by "
            "TimeDistributed, or make one step a row"
        )


def causal(steps: Any) -> Window:
    """A step sees itself and all before it, of a sequence of that many steps."""
    return (Taps(((1 - steps, steps),)),) if isinstance(steps, int) else UNKNOWN


class Recurrent(Unit, abstract=True):
    """A state of `width` numbers that every step of time renews: (T, F) -> (T, width).

    `depth` layers one on the other; `bidirectional` adds a second one in each that runs
    backwards, outputs side by side: (T, 2 width). `last` keeps the last state only, (width,)
    or (2 width,): the backward one's is that at the first step.

    With G gates a layer and direction has G width (F + width + 2) parameters, 2 of them
    biases as PyTorch has them, and does G width (F + width) MACs a step. A forward layer's
    step sees all steps up to it, other outputs see the whole sequence.
    """

    kind = Kind.RECURRENT
    gates: ClassVar[int]
    work: ClassVar[int]
    """Other operations a number of the state and step: sums of the two products, bends and
    what mixes them."""

    width: int
    depth: int = 1
    bidirectional: bool = False
    last: bool = False
    bias: bool = True

    @property
    def directions(self) -> int:
        """Two, or one."""
        return 2 if self.bidirectional else 1

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_sequence(type(self).__name__, x)
        out = self.width * self.directions
        return (out,) if self.last else (x[0], out)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        steps, features = xs[0]
        units = self.width * self.directions
        inputs = features + (self.depth - 1) * units
        weights = self.gates * units * (inputs + self.depth * self.width)
        biases = 2 * self.gates * units * self.depth if self.bias else 0
        return Cost(weights + biases, weights * steps, self.work * units * self.depth * steps)

    def window(self, x: Shape) -> Window:
        return WHOLE if self.last or self.bidirectional else causal(x[0])

    def options(self) -> dict[str, Any]:
        """PyTorch's own keywords."""
        return {
            "num_layers": self.depth, "bidirectional": self.bidirectional, "bias": self.bias,
            "last": self.last,
        }  # fmt: skip


class RNN(Recurrent):
    """h = tanh(W x + U h + b), or ReLU (Elman 1990): (T, F) -> (T, width).

    One gate: width (F + width + 2) parameters, width (F + width) MACs and 2 width other
    operations a step.

    >>> RNN(16, last=True).shape((10, 32))
    (16,)
    """

    gates = 1
    work = 2

    act: str = "tanh"

    def check(self) -> None:
        super().check()
        is_choice(self, "act", ("tanh", "relu"))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright import layers

        return layers.RNN(xs[0][1], self.width, nonlinearity=self.act, **self.options())


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate of Gers et al.
    2000): (T, F) -> (T, width).

    i, f, o = sigmoid(W x + U h + b), g = tanh(...); c = f c + i g; h = o tanh(c).
    Four gates: 4 width (F + width + 2) parameters, 4 width (F + width) MACs and 13 width
    other operations a step.

    >>> from netwright import Net
    >>> Net(LSTM(48), (10, 32)).plan().macs
    153600
    """

    gates = 4
    work = 13

    def module(self, *xs: Shape) -> nn.Module:
        from netwright import layers

        return layers.LSTM(xs[0][1], self.width, **self.options())


class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014, arXiv:1406.1078): (T, F) -> (T, width).

    r, z = sigmoid(W x + U h + b); n = tanh(W x + r (U h + b)); h = (1 - z) n + z h, as
    PyTorch and cuDNN have it. Three gates: 3 width (F + width + 2) parameters,
    3 width (F + width) MACs and 11 width other operations a step.

    >>> GRU(16, bidirectional=True).shape((10, 32))
    (10, 32)
    """

    gates = 3
    work = 11

    def module(self, *xs: Shape) -> nn.Module:
        from netwright import layers

        return layers.GRU(xs[0][1], self.width, **self.options())


class CatFeatures(Unit):
    """Sequences side by side along the features: (T, F1) + (T, F2) -> (T, F1 + F2), free."""

    kind = Kind.REARRANGEMENT
    joins = True
    keeps = NOTHING

    def shape(self, *xs: Shape) -> Shape:
        need_sequence("CatFeatures", *xs)
        if any(x[0] != xs[0][0] for x in xs):
            raise ShapeError(f"CatFeatures joins sequences of one length, got {show(xs)}")
        return (xs[0][0], sum(x[1] for x in xs))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import CatFeatures as Layer

        return Layer()
