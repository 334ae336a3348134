"""Units whose weights are computed from parameters: normalised, standardised, held small."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from netwright.core.check import is_number
from netwright.core.cost import Cost, Kept
from netwright.core.field import Window
from netwright.core.operation import Kind, Sliding
from netwright.core.shape import Shape
from netwright.core.spec import Unit
from netwright.errors import ShapeError, SpecError
from netwright.units.conv import Conv
from netwright.units.linear import Linear

if TYPE_CHECKING:
    from torch import nn

__all__ = ["MaxNorm", "Reweighted", "WeightNorm", "WeightStandardisation"]


class Reweighted(Unit, abstract=True):
    """The unit `of` with another weight than its own; its kind, shape, MACs and field stay.

    The weight is computed once a batch, and can be kept for inference: it counts as free.
    """

    takes: ClassVar[tuple[type[Unit], ...]] = (Conv, Linear)

    of: Unit

    def check(self) -> None:
        if not isinstance(self.of, self.takes):
            wanted = " or ".join(kind.__name__ for kind in self.takes)
            raise SpecError(f"{type(self).__name__}: of is {self.of!r}, wanted a {wanted}")

    @property
    def width(self) -> int:
        """The outputs of the unit."""
        return self.of.width  # type: ignore[attr-defined]

    @property
    def kind(self) -> Kind:  # type: ignore[override]
        """The kind of the unit."""
        return self.of.kind

    @property
    def biased(self) -> bool:
        return self.of.biased

    def sliding(self, x: Shape) -> Sliding | None:
        return self.of.sliding(x)

    def shape(self, *xs: Shape) -> Shape:
        return self.of.shape(*xs)

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        return self.of.cost(*xs, y=y)

    def kept(self, *xs: Shape, y: Shape) -> Kept | None:
        kept = self.of.kept(*xs, y=y)
        return kept._replace(once=kept.once + self.makes(*xs, y=y)) if kept else None

    def makes(self, *xs: Shape, y: Shape) -> Any:
        """Elements that are kept of how the weight was made, itself included."""
        return self.weights(*xs, y=y)

    def weights(self, *xs: Shape, y: Shape) -> Any:
        """Elements of the weight."""
        return replace(self.of, bias=False).cost(*xs, y=y).params  # type: ignore[type-var, call-arg]

    def window(self, x: Shape) -> Window:
        return self.of.window(x)


class WeightNorm(Reweighted):
    """w = g v / |v| for every output, the norm over all inputs of that output: length and
    direction of the weights are learnt apart (Salimans & Kingma 2016, arXiv:1602.07868).

    One parameter more an output than the convolution or dense unit `of`.

    >>> WeightNorm(Conv(64)).shape((3, 32, 32))
    (64, 32, 32)
    """

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        cost = super().cost(*xs, y=y)
        return cost._replace(params=cost.params + self.width)

    def makes(self, *xs: Shape, y: Shape) -> Any:
        return self.weights(*xs, y=y) + 3 * self.width

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import WeightNorm as Layer

        return Layer(self.of.module(*xs))


class MaxNorm(Reweighted):
    """w = v min(1, limit / |v|) for every output, the norm over all inputs of that output: the
    weights of the convolution or dense unit `of` stay in a ball (Srebro & Shraibman 2005;
    Srivastava et al. 2014, section 5.1).

    The limit holds whoever trains the module and however; Keras projects v itself, after every
    step, as `project` of the module does. No parameters more.

    >>> MaxNorm(Linear(4), 0.25).shape((64,))
    (4,)
    """

    limit: float = 1.0

    def check(self) -> None:
        super().check()
        is_number(self, "limit", above=0)

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import MaxNorm as Layer

        return Layer(self.of.module(*xs), self.limit)


class WeightStandardisation(Reweighted):
    """w = (v - mean) / sqrt(var + eps) for every output, mean and variance over all inputs of
    that output (Qiao et al. 2019, arXiv:1903.10520); group normalisation should follow.

    With `gain` w is divided by the square root of the number of inputs and multiplied by a
    learnt number for every output, and no normalisation is needed (Brock et al. 2021,
    arXiv:2101.08692). Raises `ShapeError` where an output has a single weight.

    >>> WeightStandardisation(Conv(64, bias=False)).cost((3, 32, 32), y=(64, 32, 32)).params
    1728
    """

    takes: ClassVar[tuple[type[Unit], ...]] = (Conv,)

    gain: bool = False
    eps: float = 1e-5

    def check(self) -> None:
        super().check()
        is_number(self, "eps", above=0)

    def shape(self, *xs: Shape) -> Shape:
        y = super().shape(*xs)
        assert isinstance(self.of, Conv)
        channels, groups, kernel = xs[0][0], self.of.groups, self.of.sliding(xs[0]).kernel
        if channels // groups * prod(kernel) == 1:
            raise ShapeError(
                f"WeightStandardisation: {channels} channels in {groups} groups under a kernel of "
                f"{kernel} leave one weight an output; use a larger kernel or fewer groups"
            )
        return y

    def cost(self, *xs: Shape, y: Shape) -> Cost:
        cost = super().cost(*xs, y=y)
        return cost._replace(params=cost.params + self.width) if self.gain else cost

    def makes(self, *xs: Shape, y: Shape) -> Any:
        return 2 * self.weights(*xs, y=y) + (2 if self.gain else 1) * self.width

    def module(self, *xs: Shape) -> nn.Module:
        from netwright.layers import WeightStandardisation as Layer

        return Layer(self.of.module(*xs), self.eps, self.gain)
