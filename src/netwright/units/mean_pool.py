"""Local pooling between the mean and the maximum: norms, weighted means, mixtures."""

from __future__ import annotations

from functools import partial
from itertools import pairwise, product
from math import prod
from typing import Any, cast

from netwright.core.check import is_choice, is_number
from netwright.core.cost import Cost, Kept
from netwright.core.field import Taps, Window
from netwright.core.shape import Shape
from netwright.errors import ShapeError, SpecError
from netwright.units.pool import LocalPool, halfway

__all__ = ["GatedPool", "LpPool", "MixedPool", "WeightedPool"]


class LpPool(LocalPool):
    """y = (sum |x|^p)^(1/p) over every window: (C, H, W) -> (C, H', W') (Sermanet et al. 2012,
    arXiv:1204.3968, whose Gaussian weights are left out).

    1 is the sum, 2 the Euclidean norm, infinity the maximum. With `learned` p is one
    parameter, 1 + softplus(rho), that starts at `p` (Gulcehre et al. 2013,
    arXiv:1311.1780). Equal to `nn.LPPool2d` for even p. 2 prod(k) operations an output
    element, powers and their sum.

    >>> LpPool(3, stride=2, p=4).shape((64, 55, 55))
    (64, 27, 27)
    """

    p: float = 2.0
    learned: bool = False

    def check(self) -> None:
        super().check()
        is_number(self, "p", above=0)
        if self.learned and self.p <= 1:
            raise SpecError(f"LpPool: p is {self.p!r}, wanted a number above 1 to learn from")

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(int(self.learned), ops=2 * super().cost(*xs, y=y).ops)

    def layer(self, rank: int) -> Any:
        from netwright.layers import LpPool as Layer

        return partial(Layer, p=self.p, learned=self.learned)


class WeightedPool(LocalPool):
    """y = sum_i w_i x_i / sum_i w_i over every window: (C, H, W) -> (C, H', W').

    `weights` are prod(k) numbers in row-major order; None learns them, the softmax of
    prod(k) parameters, equal at first. All channels share them; zeros of the padding are
    counted. A depthwise convolution: prod(k) MACs an output element.

    >>> WeightedPool(3, stride=2, weights=(1, 2, 1, 2, 4, 2, 1, 2, 1)).shape((64, 55, 55))
    (64, 27, 27)
    """

    weights: tuple[float, ...] | None = None

    def check(self) -> None:
        super().check()
        weights: Any = self.weights
        if weights is not None and not _weighs(weights):
            raise SpecError(
                f"WeightedPool: weights is {weights!r}, wanted None or numbers of at least 0, "
                "not all of them 0"
            )

    def shape(self, *xs: Shape) -> Shape:
        y = super().shape(*xs)
        n = prod(self.sliding(xs[0])[0])
        if self.weights is not None and len(self.weights) != n:
            raise ShapeError(f"WeightedPool: weights {self.weights} do not fit windows of {n}")
        return y

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        n = prod(self.sliding(xs[0])[0])
        learnt = self.weights is None
        return Cost(n if learnt else 0, n * prod(y), 0, 0 if learnt else n)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        wide = self.widened(xs[0], y)
        learnt = prod(self.sliding(xs[0])[0]) if self.weights is None else 0
        return Kept(input=not wide, each=wide, once=learnt)

    def window(self, x: Shape) -> Window:
        if self.weights is None:
            return super().window(x)
        kernel, strides, pads, _, _ = self.sliding(x)
        axes = zip(_seen(self.weights, kernel), strides, pads, strict=True)
        return tuple([_taps(places, s, before) for places, s, (before, _) in axes])

    @property
    def uneven(self) -> bool:  # type: ignore[override]
        """Whether weights of 0 leave holes in the box of what a window sees."""
        if self.weights is None or all(self.weights):
            return False
        k, n = self.kernel, len(self.weights)
        kernel = k if isinstance(k, tuple) else (k,) * next(r for r in (1, 2, 3, n) if k**r >= n)
        axes = _seen(self.weights, kernel)
        holes = prod(map(len, axes)) > sum(w != 0 for w in self.weights)
        return holes or not all(map(_step, axes))

    def layer(self, rank: int) -> Any:
        from netwright.layers import WeightedPool as Layer

        return partial(Layer, weights=self.weights)


def _seen(weights: tuple[float, ...], kernel: tuple[int, ...]) -> list[list[int]]:
    """The places in a window, an axis, whose weights are not all 0.

    >>> _seen((0, 1, 0, 0, 1, 2), (2, 3))
    [[0, 1], [1, 2]]
    """
    cells = product(*map(range, kernel))
    seen = [cell for cell, weight in zip(cells, weights, strict=True) if weight != 0]
    return [sorted({*axis}) for axis in zip(*seen, strict=True)]


def _step(places: list[int]) -> int:
    """How far places lie apart, 0 where that is not the same everywhere."""
    steps = {b - a for a, b in pairwise(places)} or {1}
    return steps.pop() if len(steps) == 1 else 0


def _taps(places: list[int], stride: int, before: int) -> Taps:
    """Taps at these places of a window; all between them where they have no common step."""
    first, step = places[0], _step(places) or 1
    return Taps(((first - before, (places[-1] - first) // step + 1),), step, stride)


def _weighs(weights: Any) -> bool:
    """Whether these are numbers of at least 0 with a finite sum above it."""
    if not isinstance(weights, tuple):
        return False
    numbers = cast("tuple[Any, ...]", weights)
    good = all(type(w) in (int, float) and w >= 0 for w in numbers)
    return good and 0 < sum(numbers) < float("inf")


class MixedPool(LocalPool):
    """y = a max + (1 - a) mean of every window: (C, H, W) -> (C, H', W').

    `mix` says what a is. "fixed": `share`. "learned": one parameter that starts there (Lee et
    al. 2016, arXiv:1509.08985). "random": in training 1 with probability `share`, else 0,
    drawn for every image and channel, its mean in evaluation (Yu et al. 2014, who took the
    more frequent one there). 2 prod(k) operations an output element.

    >>> MixedPool(2, mix="random").shape((64, 56, 56))
    (64, 28, 28)
    """

    share: float = 0.5
    mix: str = "fixed"

    def check(self) -> None:
        super().check()
        is_number(self, "share")
        is_choice(self, "mix", ("fixed", "learned", "random"))
        if not 0 <= self.share <= 1 or (self.mix == "learned" and self.share in (0, 1)):
            raise SpecError(
                f"MixedPool: share is {self.share!r}, wanted a number from 0 to 1, both left "
                "out when it is learned"
            )

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return Cost(int(self.mix == "learned"), 0, 2 * super().cost(*xs, y=y).ops)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        each = {"learned": prod(y), "random": y[0]}.get(self.mix, 0)
        each += halfway(xs[0], y, self.sliding(xs[0])[0])
        return Kept(input=True, each=each, once=int(self.mix == "learned"), indices=prod(y))

    def layer(self, rank: int) -> Any:
        from netwright.layers import MixedPool as Layer

        return partial(Layer, share=self.share, mix=self.mix)


class GatedPool(LocalPool):
    """y = a max + (1 - a) mean, a = sigmoid(w . x), of every window: (C, H, W) -> (C, H', W')
    (Lee et al. 2016, arXiv:1509.08985).

    The prod(k) weights are learnt, start at zero and are the same for all channels. The gate
    is a depthwise convolution of prod(k) MACs an output element; 2 prod(k) operations beside.

    >>> GatedPool(2).cost((64, 56, 56), y=(64, 28, 28)).params
    4
    """

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        n = prod(self.sliding(xs[0])[0])
        return Cost(n, n * prod(y), 2 * n * prod(y))

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        each = self.widened(xs[0], y) + halfway(xs[0], y, self.sliding(xs[0])[0])
        return Kept(input=True, each=each + 2 * prod(y), indices=prod(y))

    def layer(self, rank: int) -> Any:
        from netwright.layers import GatedPool as Layer

        return Layer
