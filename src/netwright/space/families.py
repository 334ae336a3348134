"""Nets for small images: five families, each scaled by width, depth and number of stages.

A stem brings the image to at most 40 positions a side; every stage but the first halves the
map and doubles the width; a pooled head ends the net.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil, log2

from netwright.blocks.attention import SqueezeExcite
from netwright.blocks.conv import ConvNormAct, conv_norm_act
from netwright.blocks.densenet import DenseBlock, Transition
from netwright.blocks.mobile import InvertedResidual
from netwright.blocks.resnet import BasicBlock
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.units.activation import ReLU
from netwright.units.norm import BatchNorm
from netwright.units.pool import MaxPool

__all__ = ["DEPTHS", "FAMILIES", "LAST_SIDE", "WIDTHS", "grid", "small", "stage_counts"]

WIDTHS = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
DEPTHS = (1, 2, 3)
STEM_SIDE = 40
"""Maps larger than this are halved in the stem, before work is spent on them."""
LAST_SIDE = 4
"""Maps are not halved below this."""

Stage = Callable[[int, int, int], Sequential]
"""(index, width, depth) -> one stage; those after the first halve the map."""


def _residual(i: int, width: int, depth: int) -> Sequential:
    return Sequential(*[BasicBlock(width, 2 if i and not block else 1) for block in range(depth)])


def _excited(i: int, width: int, depth: int) -> Sequential:
    se = SqueezeExcite(8)
    return Sequential(
        *[BasicBlock(width, 2 if i and not block else 1, attention=se) for block in range(depth)]
    )


def _plain(i: int, width: int, depth: int) -> Sequential:
    pool = {"pool": MaxPool(2)} if i else {}
    return Sequential(**pool, convs=Sequential(*[conv_norm_act(width)] * (depth + 1)))


def _mobile(i: int, width: int, depth: int) -> Sequential:
    blocks = range(depth + 1)
    return Sequential(*[InvertedResidual(width, 2 if i and not b else 1, 4) for b in blocks])


def _dense(i: int, width: int, depth: int) -> Sequential:
    # The first stage's width is twice the growth; later ones grow by as much from what they get.
    growth = max(4, width >> (i + 1))
    parts = {"transition": Transition()} if i else {}
    return Sequential(**parts, layers=DenseBlock(3 * depth, growth))


FAMILIES: dict[str, Stage] = {
    "residual": _residual,
    "excited": _excited,
    "plain": _plain,
    "mobile": _mobile,
    "dense": _dense,
}
"""CIFAR-style residual nets (He et al. 2015), the same with squeeze-excitation (Hu et al.
2017), VGG with batch norm (Simonyan & Zisserman 2014), MobileNetV2 (Sandler et al. 2018),
DenseNet-BC (Huang et al. 2016)."""


def small(family: str, input: Shape, classes: int, *, width: int, depth: int, stages: int) -> Net:
    """A net of that family for images of that shape.

    >>> net = small("residual", (3, 32, 32), 10, width=16, depth=3, stages=3)
    >>> net.name, net.plan().params
    ('residual-w16-d3-s3', 272474)
    """
    make = FAMILIES[family]
    spec = Sequential(
        stem=_stem(width, min(input[1:])),
        **{f"stage{i + 1}": make(i, width * 2**i, depth) for i in range(stages)},
        **_tail(family),
        head=pooled(classes),
    )
    return Net(spec, input, f"{family}-w{width}-d{depth}-s{stages}")


def _stem(width: int, side: int) -> Sequential:
    strided = halvings(side)
    return Sequential(*[ConvNormAct(width, 3, 2)] * strided or [conv_norm_act(width)])


def _tail(family: str) -> dict[str, Spec]:
    """Pre-activation families leave their last sum bare."""
    return {"norm": BatchNorm(), "act": ReLU()} if family == "dense" else {}


def halvings(side: int) -> int:
    """How often the stem halves images of that side."""
    return max(0, ceil(log2(side / STEM_SIDE)))


def stage_counts(side: int) -> tuple[int, ...]:
    """How many stages nets for images of that side may have, the most last.

    >>> stage_counts(32), stage_counts(8)
    ((3, 4), (2,))
    """
    deepest = max(2, 1 + int(log2(side / 2 ** halvings(side) / LAST_SIDE)))
    return tuple(sorted({max(2, deepest - 1), deepest}))


def grid(input: Shape, classes: int) -> Iterator[tuple[str, Net]]:
    """(family, net) of every family at every width and depth that the resolution admits."""
    for family in FAMILIES:
        for stages in stage_counts(min(input[1:])):
            for width in WIDTHS:
                for depth in DEPTHS:
                    yield (
                        family,
                        small(family, input, classes, width=width, depth=depth, stages=stages),
                    )
