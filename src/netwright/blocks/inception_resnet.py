"""Residual Inception blocks (Szegedy et al. 2016, arXiv:1602.07261)."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.inception import chain, check_branches
from netwright.core.check import is_number
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Sequential, Sum
from netwright.units.activation import Identity, ReLU, Scale
from netwright.units.conv import Conv

__all__ = ["InceptionResidual", "branched"]


class InceptionResidual(Block):
    """ReLU(x + scale W(branches(x))): Inception branches, brought back to C channels by a 1x1
    convolution W without norm: (C, H, W) -> (C, H, W) (figures 10 to 19).

    A branch is the widths of its convolutions: (k) is a 1x1, (k, n) a 1x1 and a 3x3,
    (k, m, n) a 1x1 and two 3x3, or with a `factor` a 1x1, a 1 x factor and a factor x 1. A
    `scale` of 0.1 to 0.3 keeps wide nets from dying (section 3.3). `act` is left out at the
    end of a net. `attention`, such as `SqueezeExcite()`, stands behind W.

    >>> InceptionResidual(((192,), (128, 160, 192)), 0.1, 7).expand((1088, 17, 17)).names
    ('residual', 'act')
    """

    branches: tuple[tuple[int, ...], ...]
    scale: float = 1.0
    factor: int = 0
    act: bool = True
    attention: Spec | None = None
    own_widths = ("branches",)

    def check(self) -> None:
        is_number(self, "scale")
        check_branches(self, self.branches, (1, 2, 3))

    def expand(self, x: Shape) -> Spec:
        body = Sequential(branches=branched(self.branches, self.factor), restore=Conv(x[0], 1))
        if self.attention:
            body = body.put(attention=self.attention)
        if self.scale != 1:
            body = body.put(scale=Scale(self.scale))
        act = {"act": ReLU()} if self.act else {}
        return Sequential(residual=Sum(body=body, shortcut=Identity()), **act)


def branched(
    branches: tuple[tuple[int, ...], ...], factor: int = 0, like: ConvNormAct | None = None
) -> Concat:
    """Branches side by side, with the kernels of `InceptionResidual`.

    >>> [conv.kernel for conv in branched(((192,), (128, 160, 192)), 7)["1"]]
    [1, (1, 7), (7, 1)]
    """
    n = factor
    kernels = {1: (1,), 2: (1, 3), 3: (1, (1, n), (n, 1)) if n else (1, 3, 3)}
    return Concat(*[chain(widths, kernels[len(widths)], like) for widths in branches])
