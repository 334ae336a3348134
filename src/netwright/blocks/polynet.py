"""Polynomials of Inception blocks (Zhang et al. 2016, arXiv:1611.05725)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from netwright.blocks.conv import ConvNormAct, conv_norm
from netwright.blocks.inception import check_branches
from netwright.blocks.inception_resnet import branched
from netwright.core.check import is_number
from netwright.core.graph import Graph, Node, Shared
from netwright.core.join import Add
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Sequential, Sum
from netwright.errors import SpecError
from netwright.units.activation import Identity, ReLU, Scale
from netwright.units.norm import BatchNorm

__all__ = ["PolyModule", "TwoWayModule"]


class TwoWayModule(Block):
    """ReLU(x + scale F(x) + scale G(x)), F and G Inception blocks of the same shape but their
    own weights: (C, H, W) -> (C, H, W) (figure 4d: I + F + G).

    F is branches, then a 1x1 convolution with batch norm to C channels; `branches` and `factor`
    as in `InceptionResidual`.

    >>> TwoWayModule(((192,), (128, 160, 192)), 0.9, 7).expand((1152, 20, 20))["residual"].names
    ('0', '1', 'shortcut')
    """

    branches: tuple[tuple[int, ...], ...]
    scale: float = 1.0
    factor: int = 0
    own_widths = ("branches",)

    def check(self) -> None:
        is_number(self, "scale")
        check_branches(self, self.branches, (1, 2, 3))

    def expand(self, x: Shape) -> Spec:
        way = Sequential(
            branches=branched(self.branches, self.factor, ConvNormAct(1)),
            restore=conv_norm(x[0], 1),
            scale=Scale(self.scale),
        )
        return Sequential(residual=Sum(way, way, shortcut=Identity()), act=ReLU())


class PolyModule(Block):
    """ReLU(x + scale F(x) + scale F(F(x)) + ...), an Inception block applied `order` times in a
    row: (C, H, W) -> (C, H, W) (figure 4b: I + F + F^2, poly-2).

    A ReLU stands between two applications. The convolutions of the branches are shared by
    all of them under `key`, which has to be another for every module of a net; as in the
    authors' model norms and the 1x1 convolution that restores are not. `branches` and
    `factor` as in `InceptionResidual`.

    >>> PolyModule("b1", ((192,), (128, 160, 192)), 3, 0.9, 7).expand((1152, 20, 20)).names
    ('order1', 'scale1', 'order2', 'scale2', 'order3', 'scale3', 'sum', 'act')
    """

    key: str
    branches: tuple[tuple[int, ...], ...]
    order: int = 3
    scale: float = 1.0
    factor: int = 0
    own_widths = ("branches",)

    def check(self) -> None:
        if not self.key:
            raise SpecError(f"PolyModule: key is {self.key!r}, wanted a word")
        TwoWayModule(self.branches, self.scale, self.factor)

    def expand(self, x: Shape) -> Spec:
        branches = branched(self.branches, self.factor, ConvNormAct(1))
        once = Sequential(branches=_sharing(branches, self.key), restore=conv_norm(x[0], 1))
        nodes: dict[str, Spec] = {"order1": once, "scale1": Scale(self.scale)}
        for i in range(2, self.order + 1):
            again = Sequential(act=ReLU(), **dict(once.parts))
            nodes[f"order{i}"] = Node(again, f"order{i - 1}")
            nodes[f"scale{i}"] = Scale(self.scale)
        scaled = [f"scale{i}" for i in range(1, self.order + 1)]
        return Graph(**nodes, sum=Node(Add(), "input", *scaled), act=ReLU())


def _sharing(branches: Concat, key: str) -> Concat:
    """The same branches, their convolutions shared under keys that begin with this."""

    def shared(i: int, branch: Spec) -> Sequential:
        convs = enumerate(cast("Iterable[ConvNormAct]", branch))
        return Sequential(*[_shared(conv, f"{key}.{i}.{j}") for j, conv in convs])

    return Concat(*[shared(i, branch) for i, branch in enumerate(branches)])


def _shared(conv: ConvNormAct, key: str) -> Sequential:
    return Sequential(conv=Shared(conv.conv(), key), norm=BatchNorm(), act=ReLU())
