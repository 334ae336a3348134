"""Attention over sequences: every query takes a mean of the memory, weighted by a score.

Given one input a unit attends to that itself (encoder only); given two, the queries (Tq, F)
attend to the memory (Tk, F) (encoder and decoder). The modules return the weights as well when
called with `need_weights=True`. MACs are those of projections, scores and weighted sums; the
softmax is three other operations a weight.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar

from netwright.core.check import is_choice, is_count, is_number
from netwright.core.cost import Cost, Kept
from netwright.core.field import WHOLE, Taps, Window
from netwright.core.operation import Kind
from netwright.core.shape import Shape, show
from netwright.core.spec import Unit
from netwright.errors import ShapeError
from netwright.units.recurrent import need_sequence

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "AdditiveAttention",
    "Attention",
    "DotAttention",
    "HardAttention",
    "LocalAttention",
    "MultiHeadAttention",
]


class Attention(Unit, abstract=True):
    """Queries (Tq, F) and memory (Tk, F), or one (T, F) for both -> (Tq, F). Sees all."""

    kind = Kind.ATTENTION
    joins: ClassVar[bool] = True
    sees_all: ClassVar[bool] = True
    like: ClassVar[bool] = True
    """Whether queries and memory must have as many features."""

    def shape(self, *xs: Shape) -> Shape:
        who = type(self).__name__
        queries, memory = xs[0], xs[-1]
        need_sequence(who, *xs)
        if len(xs) > 2:
            raise ShapeError(f"{who} takes queries and memory, got {show(xs)}")
        if self.like and queries[1] != memory[1]:
            raise ShapeError(
                f"{who} takes queries and memory of as many features, got {show(xs)}; "
                "put a Linear before one of them"
            )
        return (queries[0], memory[1])

    def window(self, x: Shape) -> Window:
        return WHOLE


class DotAttention(Attention):
    """softmax(x m^T) m (Luong et al. 2015, arXiv:1508.04025, "dot"): (Tq, F), (Tk, F) ->
    (Tq, F); `scaled` divides the products by sqrt(F) (Vaswani et al. 2017, arXiv:1706.03762).

    No parameters; 2 Tq Tk F MACs, 3 Tq Tk other operations.

    >>> from netwright import Net
    >>> Net(DotAttention(), (10, 64)).plan().macs
    12800
    """

    scaled: bool = False

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        weights = xs[0][0] * xs[-1][0]
        return Cost(0, 2 * weights * y[1], 3 * weights)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        if len(xs) > 1:
            return None  # one of the inputs, and a rule speaks of all
        return Kept(input=True, each=2 * prod(y) + y[0] ** 2)

    def module(self, *xs: Shape) -> nn.Module:
        from netwright import layers

        return layers.DotAttention(self.scaled)


class AdditiveAttention(Attention):
    """Weights softmax(v . tanh(W x + U m)) over the memory (Bahdanau et al. 2014,
    arXiv:1409.0473, appendix A.1.2): (Tq, Fq), (Tk, Fk) -> (Tq, Fk).

    `width` is the length of v: width (Fq + Fk + 1) parameters, (Tq Fq + Tk Fk + Tq Tk) width +
    Tq Tk Fk MACs, (2 width + 3) Tq Tk other operations.
    """

    like = False

    width: int

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (queries, features), (steps, memory) = xs[0], xs[-1]
        weights = queries * steps
        macs = (queries * features + steps * memory + weights) * self.width + weights * memory
        ops = (2 * self.width + 3) * weights
        return Cost(self.width * (features + memory + 1), macs, ops)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        return Kept(input=True, each=xs[0][0] * xs[-1][0] * (self.width + 1))

    def module(self, *xs: Shape) -> nn.Module:
        from netwright import layers

        return layers.AdditiveAttention(xs[0][1], xs[-1][1], self.width)


class MultiHeadAttention(Attention):
    """softmax(Q K^T / sqrt(F / heads)) V in each of `heads` slices of the features, with
    Q = x Wq, K = m Wk, V = m Wv, then Wo (Vaswani et al. 2017, arXiv:1706.03762): (Tq, F),
    (Tk, Fk) -> (Tq, F). One head is plain query-key-value attention.

    2 F (F + Fk) + 4 F parameters, 2 F (Tq F + Tk Fk) + 2 Tq Tk F MACs, 3 heads Tq Tk other
    operations.

    >>> from netwright import Net
    >>> Net(MultiHeadAttention(8), (10, 64)).plan().macs
    176640
    """

    like = False

    heads: int = 1
    bias: bool = True

    def check(self) -> None:
        is_count(self, "heads")

    def shape(self, *xs: Shape) -> Shape:
        super().shape(*xs)
        check_heads(self, self.heads, xs[0])
        return xs[0]

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        (queries, features), (steps, memory) = xs[0], xs[-1]
        params = 2 * features * (features + memory) + (4 * features if self.bias else 0)
        products = 2 * features * (queries * features + steps * memory)
        weights = queries * steps
        return Cost(params, products + 2 * weights * features, 3 * self.heads * weights)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        # inputs with time first, their projections, the output and the sums of the softmax
        (queries, features), (steps, memory) = xs[0], xs[-1]
        sums = self.heads * queries
        if len(xs) == 1:
            return Kept(each=5 * queries * features + sums)
        return Kept(each=3 * queries * features + 2 * steps * (memory + features) + sums)

    def module(self, *xs: Shape) -> nn.Module:
        from netwright import layers

        features, memory = xs[0][1], xs[-1][1]
        other = None if memory == features else memory
        return layers.MultiHeadAttention(features, self.heads, self.bias, other)


class LocalAttention(Unit):
    """Multi-head attention of every step to those at most `radius` away (local attention of
    Luong et al. 2015, arXiv:1508.04025; window of Beltagy et al. 2020, arXiv:2004.05150):
    (T, F) -> (T, F).

    4 F (F + 1) parameters, 4 T F^2 + 2 T (2 radius + 1) F MACs, 3 heads T (2 radius + 1) other
    operations; windows past the ends are masked but multiplied.

    >>> LocalAttention(2).window((10, 64))
    (Taps(reach=((-2, 5),), step=1, down=1),)
    """

    kind = Kind.ATTENTION

    radius: int
    heads: int = 1
    bias: bool = True

    def check(self) -> None:
        is_count(self, "heads")

    def shape(self, *xs: Shape) -> Shape:
        (x,) = xs
        need_sequence("LocalAttention", x)
        check_heads(self, self.heads, x)
        return x

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        steps, features = y
        seen = steps * (2 * self.radius + 1)
        weights = 4 * features * features
        params = weights + (4 * features if self.bias else 0)
        return Cost(params, steps * weights + 2 * seen * features, 3 * self.heads * seen)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        steps, features = y
        seen = steps * (2 * self.radius + 1)
        each = 2 * seen * features + 2 * steps * features + self.heads * seen
        return Kept(input=True, each=each, table=seen)  # a mask of what lies past the ends

    def window(self, x: Shape) -> Window:
        return (Taps(((-self.radius, 2 * self.radius + 1),)),)

    def module(self, *xs: Shape) -> nn.Module:
        from netwright import layers

        return layers.LocalAttention(xs[0][1], self.radius, self.heads, self.bias)


class HardAttention(Attention):
    """One step of the memory for each query, drawn from softmax(x m^T / sqrt(F)) in training,
    the likeliest in evaluation (Xu et al. 2015, arXiv:1502.03044): (Tq, F), (Tk, F) -> (Tq, F).

    `estimator` says how the choice learns: `straight-through`, by the softmax of the noisy
    scores over `temperature` (Gumbel-softmax, Jang et al. 2016, arXiv:1611.01144), or
    `reinforce`, by the module's `log_prob` in the loss. Draws come from the module's
    `generator` if it is set. No parameters; 2 Tq Tk F MACs, 3 Tq Tk other operations.
    """

    estimator: str = "straight-through"
    temperature: float = 1.0

    def check(self) -> None:
        is_choice(self, "estimator", ("straight-through", "reinforce"))
        is_number(self, "temperature", above=0)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        weights = xs[0][0] * xs[-1][0]
        return Cost(0, 2 * weights * y[1], 3 * weights)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        chosen = xs[0][0] if self.estimator == "reinforce" else 0
        return Kept(input=True, each=2 * xs[0][0] * xs[-1][0], indices=chosen)

    def module(self, *xs: Shape) -> nn.Module:
        from netwright import layers

        return layers.HardAttention(self.estimator, self.temperature)


def check_heads(unit: MultiHeadAttention | LocalAttention, heads: int, x: Shape) -> None:
    """Raise `ShapeError` unless the features fall into that many equal slices."""
    if isinstance(x[1], int) and isinstance(heads, int) and x[1] % heads:
        raise ShapeError(f"{type(unit).__name__}: heads {heads} do not divide {x[1]} features")
