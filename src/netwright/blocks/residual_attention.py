"""The module of residual attention networks (Wang et al. 2017, arXiv:1704.06904)."""

from __future__ import annotations

from netwright.blocks.preresnet import PreBottleneck, norm_act_conv
from netwright.core.graph import Graph, Node
from netwright.core.join import Add, Mul
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Sum
from netwright.errors import ShapeError, SpecError
from netwright.units.activation import Identity, Sigmoid
from netwright.units.pool import MaxPool
from netwright.units.resample import Upsample

__all__ = ["AttentionModule"]

HALVINGS = 12
"""The deepest hourglass, for maps of 4,096 positions an axis."""


class AttentionModule(Block):
    """(1 + M(x)) T(x), a trunk T of residual units weighed by a mask M: (C, H, W) -> (C, H, W)
    (equation 3 and figure 2).

    T is `trunk` bottlenecks (t in the paper). M is an hourglass that halves the map `depth`
    times, with `mask` units (r) at every size on the way down and up, then two 1x1
    convolutions and a sigmoid. `ends` units (p) stand before and behind both. As in the
    authors' code T is added to the hourglass, and a skip inside it is x plus a unit of x.

    >>> AttentionModule(2).expand((256, 56, 56)).names
    ('before', 'trunk', 'hourglass', 'sum', 'mask', 'gated', 'attended', 'behind')
    """

    depth: int
    ends: int = 1
    trunk: int = 2
    mask: int = 1
    repeats = "trunk"

    def check(self) -> None:
        if self.depth > HALVINGS:
            raise SpecError(f"AttentionModule: depth is {self.depth}, wanted at most {HALVINGS}, "
                            "each halves the map")  # fmt: skip

    def expand(self, x: Shape) -> Spec:
        if isinstance(x[0], int) and x[0] % 4:
            raise ShapeError(f"AttentionModule: bottlenecks divide channels by 4, got {x[0]}")
        unit = PreBottleneck(x[0] // 4)
        weigh = Sequential(
            conv1=norm_act_conv(x[0], 1), conv2=norm_act_conv(x[0], 1), gate=Sigmoid()
        )
        return Graph(
            before=_units(unit, self.ends),
            trunk=_units(unit, self.trunk),
            hourglass=Node(_hourglass(unit, self.mask, self.depth), "before"),
            sum=Node(Add(), "hourglass", "trunk"),
            mask=weigh,
            gated=Node(Mul(), "mask", "trunk"),
            attended=Node(Add(), "gated", "trunk"),
            behind=_units(unit, self.ends),
        )


def _units(unit: Spec, count: int) -> Sequential:
    return Sequential(*[unit] * count)


def _hourglass(unit: Spec, count: int, depth: int) -> Sequential:
    """Half the size and back, with a smaller hourglass between."""
    inner: dict[str, Spec] = {}
    if depth > 1:
        skip = Sum(skip=Identity(), unit=unit)
        inner["inner"] = Sum(hourglass=_hourglass(unit, count, depth - 1), skip=skip)
    return Sequential(
        pool=MaxPool(3, 2, padding=1),
        down=_units(unit, count),
        **inner,
        up=_units(unit, count),
        resize=Upsample(2, "linear", corners=True),
    )
