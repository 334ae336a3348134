"""NASNet-A and PNASNet-5 for ImageNet."""

from __future__ import annotations

from dataclasses import replace

from netwright.blocks.cell import Cell
from netwright.blocks.conv import ConvNormAct
from netwright.blocks.genotype import Genotype
from netwright.core.graph import Graph, Node
from netwright.core.spec import Spec
from netwright.nets.darts import NASNET
from netwright.nets.genotypes import NASNET_A, NASNET_A_TIMM, PNASNET_5
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.activation import ReLU
from netwright.units.norm import BatchNorm

__all__ = ["nasnet"]

PNASNET = Paper(
    "Progressive Neural Architecture Search",
    "Liu, Zoph, Neumann, Shlens, Hua, Li, Fei-Fei, Yuille, Huang, Murphy",
    2017,
    "1712.00559",
)
MOBILE, LARGE = (3, 224, 224), (3, 331, 331)
NORM = BatchNorm(eps=1e-3)


@net(
    "nasnet_4a1056", input=MOBILE, paper=NASNET, genotype=NASNET_A, depths=(4, 4, 4), width=44,
    stem=32,
)  # fmt: skip
@net(
    "nasnetalarge", input=LARGE, paper=NASNET, genotype=NASNET_A_TIMM, depths=(6, 6, 6),
    width=168, stem=96, around=True,
)  # fmt: skip
@net(
    "pnasnet5mobile", input=MOBILE, paper=PNASNET, genotype=PNASNET_5, depths=(3, 2, 2), width=54,
    stem=32,
)  # fmt: skip
@net(
    "pnasnet5large", input=LARGE, paper=PNASNET, genotype=PNASNET_5, depths=(4, 3, 3), width=216,
    stem=96,
)  # fmt: skip
def nasnet(
    genotype: Genotype,
    depths: tuple[int, ...],
    width: int,
    stem: int,
    around: bool = False,
    drop: float = 0.0,
    dropout: float = 0.5,
    classes: int = 1000,
) -> Spec:
    """Figure 2 of the NASNet paper: a 3x3 convolution of `stem` channels, two reduction cells
    of a quarter and a half of `width`, `depths[i]` normal cells for stage i, a reduction cell
    of twice the width between every two stages, a pooled head.

    A cell reads the two before it; with `around` the first of a stage reads, beside the
    reduction cell, what this one reads as the older of the two, as in the large NASNet.
    Training leaves operations out with probability `drop`. Without the auxiliary head.

    Padding is TensorFlow's and depends on the size of the maps, so that a net is built for one
    size of images. Means leave it out, as in the authors' code; in the large NASNet the strided
    ones count its zeros, as in timm. pytorchcv pads the mobile one further and cuts that off
    again: the same outputs for 568 MMACs where 564 do.
    """
    need_counts(depths=depths, width=width, stem=stem)
    normal = Cell(genotype.normal, width, 1, NORM, tight=True, drop=drop)
    reduction = Cell(genotype.reduction, width, 2, NORM, tight=True, drop=drop)
    parts: dict[str, Spec] = {
        "stem": ConvNormAct(stem, 3, 2, "valid", norm=NORM, act=None),
        "stem1": Node(replace(reduction, width=width // 4), "stem"),
        "stem2": Node(replace(reduction, width=width // 2), "stem", "stem1"),
    }
    older, last = "stem1", "stem2"
    for i, depth in enumerate(depths):
        if i:
            parts[f"reduction{i}"] = Node(replace(reduction, width=width * 2**i), older, last)
            older, last = older if around else last, f"reduction{i}"
        for j in range(1, depth + 1):
            name = f"stage{i + 1}_cell{j}"
            parts[name] = Node(replace(normal, width=width * 2**i), older, last)
            older, last = last, name
    return Graph(**parts, act=ReLU(), head=pooled(classes, dropout))
