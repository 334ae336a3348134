"""PolyNet: Inception blocks as the terms of polynomials."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.inception import GridReduction, chain
from netwright.blocks.polynet import PolyModule, TwoWayModule
from netwright.core.shape import Padding
from netwright.core.spec import Spec
from netwright.core.wiring import Concat, Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.norm import BatchNorm
from netwright.units.pool import MaxPool

__all__ = ["polynet"]

POLYNET = Paper(
    "PolyNet: A Pursuit of Structural Diversity in Very Deep Networks",
    "Zhang, Li, Loy, Lin",
    2016,
    "1611.05725",
)
A = ((32, 48, 64), (32, 32), (32,))
B = ((128, 160, 192), (192,))
C = ((192, 224, 256), (192,))
"""Branches of the Inception blocks at 384, 1152 and 2048 channels."""


@net("polynet", input=(3, 331, 331), paper=POLYNET)
def polynet(
    depths: tuple[int, int, int] = (10, 10, 5),
    scales: tuple[float, float] = (1.0, 0.7),
    order: int = 3,
    classes: int = 1000,
) -> Spec:
    """Very Deep PolyNet (section 4 of the paper): 10 2-way modules of block A, 10 times a
    poly-3 and a 2-way of B, 5 times of C, with reductions between them and 20% dropout at the
    end. The scale of the residuals falls in equal steps from the first of `scales` to the last.

    As in pytorchcv and the authors' model the stem is that of Inception-v4 with the 7x1 before
    the 1x7, and of a poly-3 module the norms and the last 1x1 are not shared.
    """
    need_counts(depths=depths, order=order)
    a, b, c = depths
    first, last = scales
    modules = a + 2 * b + 2 * c
    falling = iter([first + (last - first) * i / max(1, modules - 1) for i in range(modules)])

    def mixed(name: str, branches: tuple[tuple[int, ...], ...], factor: int) -> Sequential:
        poly = PolyModule(name, branches, order, next(falling), factor)
        return Sequential(poly=poly, two_way=TwoWayModule(branches, next(falling), factor))

    norm = BatchNorm()
    return Sequential(
        stem=_stem(),
        stage1=Sequential(*[TwoWayModule(A, next(falling)) for _ in range(a)]),
        reduction1=GridReduction(((256, 256, 384), (384,)), norm=norm),
        stage2=Sequential(*[mixed(f"b{i}", B, 7) for i in range(b)]),
        reduction2=GridReduction(((256, 256, 256), (256, 256), (256, 384)), norm=norm),
        stage3=Sequential(*[mixed(f"c{i}", C, 3) for i in range(c)]),
        head=pooled(classes, dropout=0.2),
    )


def _stem() -> Sequential:
    """Convolutions beside pools, 3 x 331 x 331 -> 384 x 39 x 39."""
    narrow = chain((64, 64, 64), (1, (7, 1), (1, 7)), ConvNormAct(1))
    return Sequential(
        conv1=_conv(32, 2),
        conv2=_conv(32),
        conv3=_conv(64, padding="same"),
        mixed1=Concat(pool=MaxPool(3, 2), conv=_conv(96, 2)),
        mixed2=Concat(
            once=Sequential(reduce=ConvNormAct(64, 1), conv=_conv(96)),
            twice=narrow.put(conv=_conv(96)),
        ),
        mixed3=Concat(pool=MaxPool(3, 2), conv=_conv(192, 2)),
    )


def _conv(width: int, stride: int = 1, padding: Padding = "valid") -> ConvNormAct:
    return ConvNormAct(width, 3, stride, padding)
