"""Nets of cells in DARTS's setting: its own, and others' cells that it is compared with."""

from __future__ import annotations

from netwright.blocks.cell import Cell
from netwright.blocks.conv import ConvNormAct, conv_norm, conv_norm_act
from netwright.blocks.genotype import Genotype
from netwright.core.graph import Graph, Node, Tap
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.genotypes import (
    AMOEBANET_A,
    AMOEBANET_B,
    AMOEBANET_C,
    DARTS_V1,
    DARTS_V2,
    ENAS,
    NASNET_A_DARTS,
)
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.activation import ReLU
from netwright.units.linear import Flatten, Linear
from netwright.units.pool import AvgPool

__all__ = ["NASNET", "after", "darts_cifar", "darts_imagenet"]

AMOEBANET = Paper(
    "Regularized Evolution for Image Classifier Architecture Search",
    "Real, Aggarwal, Huang, Le",
    2018,
    "1802.01548",
)
DARTS = Paper(
    "DARTS: Differentiable Architecture Search", "Liu, Simonyan, Yang", 2018, "1806.09055"
)
EFFICIENT = Paper(
    "Efficient Neural Architecture Search via Parameter Sharing",
    "Pham, Guan, Zoph, Le, Dean",
    2018,
    "1802.03268",
)
NASNET = Paper(
    "Learning Transferable Architectures for Scalable Image Recognition",
    "Zoph, Vasudevan, Shlens, Le",
    2017,
    "1707.07012",
)
CIFAR, IMAGENET = (3, 32, 32), (3, 224, 224)


@net("darts_v1_cifar10", input=CIFAR, paper=DARTS, genotype=DARTS_V1)
@net("darts_v2_cifar10", input=CIFAR, paper=DARTS, genotype=DARTS_V2)
@net("nasnet_a_cifar10", input=CIFAR, paper=NASNET, genotype=NASNET_A_DARTS, width=33)
@net("amoebanet_a_cifar10", input=CIFAR, paper=AMOEBANET, genotype=AMOEBANET_A)
@net("amoebanet_b_cifar10", input=CIFAR, paper=AMOEBANET, genotype=AMOEBANET_B)
@net("amoebanet_c_cifar10", input=CIFAR, paper=AMOEBANET, genotype=AMOEBANET_C)
@net("enas_cifar10", input=CIFAR, paper=EFFICIENT, genotype=ENAS, depth=17)
def darts_cifar(
    genotype: Genotype,
    depth: int = 20,
    width: int = 36,
    drop: float = 0.2,
    aux: bool = False,
    classes: int = 10,
) -> Spec:
    """Section 3.1 of the DARTS paper: a 3x3 stem of 3 width channels, `depth` cells, those at
    a third and at two thirds of the way reducing, a pooled head.

    Training leaves operations out with probability `drop`, which the authors raise to 0.2
    from epoch to epoch; with `aux` it has a head behind the second reduction, whose loss is
    weighted 0.4. The cells of NASNet, AmoebaNet and ENAS stand in DARTS's setting, not in
    that of their papers, which differ in stem, padding and width: NASNet-A has 33 channels for
    3.2 million parameters, and the cells of ENAS's script 3.7, where its paper says 4.6.
    """
    cells = _cells(genotype, depth, width, drop)
    parts = after(("stem", "stem"), cells)
    if aux:
        parts = _tapped(parts, 2 * depth // 3, stride=3, classes=classes)
    return Graph(stem=conv_norm(3 * width, 3), **parts, head=pooled(classes))


@net("darts", input=IMAGENET, paper=DARTS, genotype=DARTS_V2)
@net("darts_v1", input=IMAGENET, paper=DARTS, genotype=DARTS_V1)
def darts_imagenet(
    genotype: Genotype,
    depth: int = 14,
    width: int = 48,
    drop: float = 0.0,
    aux: bool = False,
    classes: int = 1000,
) -> Spec:
    """Section 3.3 of the paper: three 3x3 convolutions that reduce, `depth` cells, those at a
    third and at two thirds of the way reducing, a pooled head.

    `darts` has the cells of second order, the only ones the paper has for ImageNet, `darts_v1`
    those of first order. 530 MMACs for `darts`, where the paper says 574. With `aux` there is
    a head behind the second reduction, whose loss is weighted 0.4; its second batch norm is
    missing in the authors' experiments, by a slip.
    """
    stem = Sequential(conv1=conv_norm_act(width // 2, 3, 2), conv2=conv_norm(width, 3, 2))
    parts = after(("stem", "reduce"), _cells(genotype, depth, width, drop))
    if aux:
        parts = _tapped(parts, 2 * depth // 3, stride=2, classes=classes)
    reduce = Sequential(act=ReLU(), conv=conv_norm(width, 3, 2))
    return Graph(stem=stem, reduce=reduce, **parts, head=pooled(classes))


def _cells(genotype: Genotype, depth: int, width: int, drop: float) -> list[Cell]:
    """`depth` cells; the two that reduce double the width."""
    need_counts(depth=depth, width=width)
    cells = list[Cell]()
    for i in range(depth):
        reduces = i in (depth // 3, 2 * depth // 3)
        width *= 2 if reduces else 1
        cell = genotype.reduction if reduces else genotype.normal
        cells.append(Cell(cell, width, 2 if reduces else 1, drop=drop))
    return cells


def after(stems: tuple[str, str], cells: list[Cell]) -> dict[str, Spec]:
    """The cells as nodes of a graph, each of which reads the two parts before it.

    >>> from netwright.nets.genotypes import DARTS_V1
    >>> after(("stem", "stem"), [Cell(DARTS_V1.normal, 8)] * 2)["cell2"].inputs
    ('stem', 'cell1')
    """
    names = [*stems, *[f"cell{i}" for i in range(1, len(cells) + 1)]]
    return {names[i + 2]: Node(cell, *names[i : i + 2]) for i, cell in enumerate(cells)}


def _tapped(parts: dict[str, Spec], cell: int, stride: int, classes: int) -> dict[str, Spec]:
    """The cells with an auxiliary head behind that of index `cell`."""
    head = Sequential(
        act=ReLU(),
        pool=AvgPool(5, stride, count_padding=False),
        conv1=conv_norm_act(128, 1),
        conv2=ConvNormAct(768, 2, padding="valid"),
        flatten=Flatten(),
        fc=Linear(classes),
    )
    nodes = [*parts.items()]
    tap = Node(Tap(head, 0.4), nodes[cell][0])
    return dict([*nodes[: cell + 1], ("aux", tap), *nodes[cell + 1 :]])
