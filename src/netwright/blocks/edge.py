"""Edges of cells: the operations of NASNet's and DARTS's search spaces, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.separable import SeparableConv, SpatiallySeparableConv
from netwright.core.check import is_count, is_fraction
from netwright.core.shape import Padding, Shape, need_rank, show, tight_pads
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Sequential
from netwright.errors import ShapeError, SpecError, nearest
from netwright.units.activation import Identity, ReLU
from netwright.units.conv import Conv
from netwright.units.norm import BatchNorm
from netwright.units.pool import AvgPool, MaxPool
from netwright.units.rearrange import Subsample
from netwright.units.regularise import DropPath

__all__ = ["OPERATIONS", "Edge", "FactorisedReduction"]


class FactorisedReduction(Block):
    """Half the size without losing positions: ReLU, a 1x1 convolution of the even ones beside
    one of the odd ones, normalisation: (C, H, W) -> (width, ceil(H / 2), ceil(W / 2))
    (Zoph et al. 2017, arXiv:1707.07012; Liu et al. 2018, arXiv:1806.09055).

    width: channels of the output
    norm: the normalisation

    >>> FactorisedReduction(64).expand((32, 28, 28)).names
    ('act', 'paths', 'norm')
    """

    width: int
    norm: Spec = BatchNorm()

    def check(self) -> None:
        is_count(self, "width", least=2)

    def expand(self, x: Shape) -> Spec:
        half = self.width // 2
        ends = tuple([(0, n % 2) for n in x[1:]])  # an odd map has one odd position less
        odd = Conv(self.width - half, 1, padding=ends, bias=False)
        paths = Concat(
            even=Conv(half, 1, 2, bias=False),
            odd=Sequential(shift=Subsample(2, start=1), conv=odd),
        )
        return Sequential(act=ReLU(), paths=paths, norm=self.norm)


class Edge(Block):
    """An operation of a cell, by name: (C, H, W) -> (width, ceil(H / stride), ceil(W / stride)).

    `sep_conv_kxk` is ReLU, separable convolution and normalisation, twice; `dil_conv_kxk` the
    same once, dilated by 2, and `dil_sep_conv_kxk` twice; `dilated_conv_3x3` is not separable;
    `conv_kx1_1xk` is 1 x k and then k x 1. `avg_pool_3x3` leaves its padding out of the means,
    `padded_avg_pool_3x3` counts it as zeros. Pools are followed by a 1x1 convolution where the
    width changes. `identity` becomes ReLU, a 1x1 convolution and normalisation where the shape
    changes (NASNet, PNASNet, AmoebaNet), `skip_connect` a `FactorisedReduction` (DARTS, ENAS).

    Maps are padded by (k - 1) / 2 positions on both sides, unless `tight`.

    operation: its name, one of `OPERATIONS`
    width: channels of the output
    stride: that of the operation
    norm: the normalisation behind convolutions
    tight: whether padding is no more than ceil(n / stride) positions need, as in TensorFlow
    drop: how often training leaves the operation out; one that does nothing never is

    >>> Edge("max_pool_3x3", 64, 2).expand((64, 28, 28))
    MaxPool(kernel=3, stride=2, padding=1)
    """

    operation: str
    width: int
    stride: int = 1
    norm: Spec = BatchNorm()
    tight: bool = False
    drop: float = 0.0

    def check(self) -> None:
        if self.operation not in OPERATIONS:
            raise SpecError(f"Edge: {nearest('operation', str(self.operation), OPERATIONS)}")
        is_fraction(self, "drop")

    def expand(self, x: Shape) -> Spec:
        need_rank("Edge", x, 3, 3)
        part = OPERATIONS[self.operation](self, x)
        if not self.drop or isinstance(part, Identity):
            return part
        if not isinstance(part, Sequential):
            return Sequential(operation=part, drop=DropPath(self.drop))
        return part.put(drop=DropPath(self.drop))

    def keeps(self, x: Shape) -> bool:
        """Whether the output has the shape of the input."""
        return x[0] == self.width and self.stride == 1

    def padding(self, x: Shape, kernel: int, stride: int, dilation: int = 1) -> Padding:
        """What a window of this kernel needs: a number, or (before, after) an axis."""
        reach = dilation * (kernel - 1)
        if not self.tight or kernel == 1:
            return reach // 2
        if not all(isinstance(n, int) for n in x[1:]):
            raise ShapeError(f"Edge: tight padding goes by the size of the map, which is a symbol "
                             f"in {show(x)}; use numbers")  # fmt: skip
        axes = [(size,) * (len(x) - 1) for size in (kernel, stride, dilation)]
        return tight_pads(x[1:], *axes)


def _skip(edge: Edge, x: Shape, *, factorized: bool) -> Spec:
    if edge.keeps(x):
        return Identity()
    if factorized and edge.stride == 2:
        return FactorisedReduction(edge.width, edge.norm)
    return _conv(edge, x, kernel=1)


def _pool(edge: Edge, x: Shape, *, pool: MaxPool | AvgPool) -> Spec:
    padding = edge.padding(x, cast("int", pool.kernel), edge.stride)
    ceil, counted = False, isinstance(pool, AvgPool) and pool.count_padding
    if isinstance(padding, tuple) and not counted:  # what is longer at the end hangs over it
        pairs = cast("tuple[tuple[int, int], ...]", padding)
        padding = tuple([before for before, _ in pairs])
        ceil = any(before != after for before, after in pairs)
    sized = replace(pool, stride=edge.stride, padding=padding, ceil=ceil)
    if x[0] == edge.width:
        return sized
    return Sequential(pool=sized, conv=ConvNormAct(edge.width, 1, norm=edge.norm, act=None))


def _conv(edge: Edge, x: Shape, *, kernel: int, dilation: int = 1) -> Sequential:
    padding = edge.padding(x, kernel, edge.stride, dilation)
    conv = ConvNormAct(edge.width, kernel, edge.stride, padding, dilation, norm=edge.norm, act=None)
    return Sequential(act=ReLU(), conv=conv)


def _crossed(edge: Edge, x: Shape, *, kernel: int) -> Sequential:
    padding = edge.padding(x, kernel, edge.stride)
    conv = SpatiallySeparableConv(
        edge.width, kernel, edge.stride, padding, first=1, between=False, norm=edge.norm, act=None
    )
    return Sequential(act=ReLU(), conv=conv)


def _separable(
    edge: Edge, x: Shape, *, kernel: int, dilation: int = 1, times: int = 2
) -> Sequential:
    parts: dict[str, Spec] = {}
    for i, stride in enumerate((edge.stride, 1)[:times], 1):
        padding = edge.padding(x, kernel, stride, dilation)
        parts[f"act{i}"] = ReLU()
        parts[f"conv{i}"] = SeparableConv(
            edge.width, kernel, stride, padding, dilation, between=False, norm=edge.norm, act=None
        )
    return Sequential(**parts)


OPERATIONS: dict[str, Callable[[Edge, Shape], Spec]] = {
    "identity": partial(_skip, factorized=False),
    "skip_connect": partial(_skip, factorized=True),
    "avg_pool_3x3": partial(_pool, pool=AvgPool(3, count_padding=False)),
    "padded_avg_pool_3x3": partial(_pool, pool=AvgPool(3)),
    **{f"max_pool_{k}x{k}": partial(_pool, pool=MaxPool(k)) for k in (2, 3, 5, 7)},
    **{f"conv_{k}x{k}": partial(_conv, kernel=k) for k in (1, 3, 5)},
    "dilated_conv_3x3": partial(_conv, kernel=3, dilation=2),
    **{f"conv_{k}x1_1x{k}": partial(_crossed, kernel=k) for k in (3, 7)},
    **{f"sep_conv_{k}x{k}": partial(_separable, kernel=k) for k in (3, 5, 7)},
    **{f"dil_conv_{k}x{k}": partial(_separable, kernel=k, dilation=2, times=1) for k in (3, 5)},
    **{f"dil_sep_conv_{k}x{k}": partial(_separable, kernel=k, dilation=2) for k in (3, 5)},
}
"""What an edge can do: the names that genotypes use."""
