"""The cells that were found: NASNet, AmoebaNet, PNASNet, ENAS, DARTS.

State 0 is the cell before the last, state 1 the last one, states 2, 3, ... the nodes.
"""

from __future__ import annotations

from dataclasses import replace

from netwright.blocks.genotype import CellGenotype, Genotype

__all__ = [
    "AMOEBANET_A",
    "AMOEBANET_B",
    "AMOEBANET_C",
    "DARTS_V1",
    "DARTS_V2",
    "ENAS",
    "NASNET_A",
    "NASNET_A_DARTS",
    "NASNET_A_TIMM",
    "PNASNET_5",
]

NASNET_A = Genotype(
    CellGenotype(
        (
            (("sep_conv_5x5", 1), ("sep_conv_3x3", 0)),
            (("sep_conv_5x5", 0), ("sep_conv_3x3", 0)),
            (("avg_pool_3x3", 1), ("identity", 0)),
            (("avg_pool_3x3", 0), ("avg_pool_3x3", 0)),
            (("sep_conv_3x3", 1), ("identity", 1)),
        ),
        (0, 2, 3, 4, 5, 6),
    ),
    CellGenotype(
        (
            (("sep_conv_5x5", 1), ("sep_conv_7x7", 0)),
            (("max_pool_3x3", 1), ("sep_conv_7x7", 0)),
            (("avg_pool_3x3", 1), ("sep_conv_5x5", 0)),
            (("identity", 3), ("avg_pool_3x3", 2)),
            (("sep_conv_3x3", 2), ("max_pool_3x3", 1)),
        ),
        (3, 4, 5, 6),
    ),
)
"""Figure 4 of Zoph et al. 2017, as in the authors' code: the normal cell also concatenates
the state of the cell before the last."""

_first, _second, (_, _right), *_rest = NASNET_A.reduction.nodes
_padded = (("padded_avg_pool_3x3", 1), _right)
NASNET_A_TIMM = Genotype(
    NASNET_A.normal, replace(NASNET_A.reduction, nodes=(_first, _second, _padded, *_rest))
)
"""The same as timm has it: strided means count the zeros of the padding."""


def _evaluated(cell: CellGenotype, concat: tuple[int, ...]) -> CellGenotype:
    """A cell of NASNet's in the words of DARTS."""
    words = {"identity": "skip_connect"}
    nodes = [tuple([(words.get(name, name), source) for name, source in node])
             for node in cell.nodes]  # fmt: skip
    return CellGenotype(tuple(nodes), concat)


NASNET_A_DARTS = Genotype(
    _evaluated(NASNET_A.normal, (2, 3, 4, 5, 6)), _evaluated(NASNET_A.reduction, (4, 5, 6))
)
"""The same as DARTS evaluates it: both cells concatenate a state less."""

AMOEBANET_A = Genotype(
    CellGenotype(
        (
            (("avg_pool_3x3", 0), ("max_pool_3x3", 1)),
            (("sep_conv_3x3", 0), ("sep_conv_5x5", 2)),
            (("sep_conv_3x3", 0), ("avg_pool_3x3", 3)),
            (("sep_conv_3x3", 1), ("skip_connect", 1)),
            (("skip_connect", 0), ("avg_pool_3x3", 1)),
        ),
        (4, 5, 6),
    ),
    CellGenotype(
        (
            (("avg_pool_3x3", 0), ("sep_conv_3x3", 1)),
            (("max_pool_3x3", 0), ("sep_conv_7x7", 2)),
            (("sep_conv_7x7", 0), ("avg_pool_3x3", 1)),
            (("max_pool_3x3", 0), ("max_pool_3x3", 1)),
            (("conv_7x1_1x7", 0), ("sep_conv_3x3", 5)),
        ),
        (3, 4, 6),
    ),
)
"""Figure 5 of Real et al. 2018, as DARTS evaluates it."""

AMOEBANET_B = Genotype(
    CellGenotype(
        (
            (("conv_1x1", 0), ("max_pool_3x3", 0)),
            (("identity", 0), ("sep_conv_3x3", 1)),
            (("conv_1x1", 0), ("sep_conv_3x3", 1)),
            (("conv_1x1", 2), ("identity", 2)),
            (("avg_pool_3x3", 0), ("conv_1x1", 5)),
        ),
        (1, 3, 4, 6),
    ),
    CellGenotype(
        (
            (("max_pool_2x2", 1), ("max_pool_3x3", 1)),
            (("identity", 2), ("conv_3x3", 0)),
            (("dil_sep_conv_5x5", 2), ("max_pool_3x3", 2)),
            (("identity", 3), ("sep_conv_3x3", 0)),
            (("avg_pool_3x3", 4), ("conv_1x1", 3)),
        ),
        (5, 6),
    ),
)
"""From the authors' code, states 0 and 1 exchanged."""

AMOEBANET_C = Genotype(
    CellGenotype(
        (
            (("avg_pool_3x3", 1), ("sep_conv_3x3", 1)),
            (("identity", 1), ("sep_conv_3x3", 1)),
            (("avg_pool_3x3", 2), ("sep_conv_3x3", 0)),
            (("identity", 1), ("sep_conv_3x3", 0)),
            (("avg_pool_3x3", 3), ("sep_conv_3x3", 1)),
        ),
        (0, 2, 4, 5, 6),
    ),
    CellGenotype(
        (
            (("max_pool_3x3", 1), ("max_pool_3x3", 1)),
            (("sep_conv_7x7", 2), ("sep_conv_3x3", 1)),
            (("sep_conv_7x7", 1), ("max_pool_3x3", 0)),
            (("sep_conv_5x5", 4), ("sep_conv_5x5", 4)),
            (("max_pool_3x3", 0), ("sep_conv_3x3", 0)),
        ),
        (1, 2, 3, 4, 5, 6),
    ),
)
"""From the authors' code, states 0 and 1 exchanged."""

_PNASNET_5 = CellGenotype(
    (
        (("sep_conv_5x5", 0), ("max_pool_3x3", 0)),
        (("sep_conv_7x7", 1), ("max_pool_3x3", 1)),
        (("sep_conv_5x5", 1), ("sep_conv_3x3", 1)),
        (("sep_conv_3x3", 4), ("max_pool_3x3", 1)),
        (("sep_conv_3x3", 0), ("identity", 1)),
    ),
    (2, 3, 4, 5, 6),
)
PNASNET_5 = Genotype(_PNASNET_5, _PNASNET_5)
"""Figure 1 of Liu et al. 2017: one cell for both."""

ENAS = Genotype(
    CellGenotype(
        (
            (("avg_pool_3x3", 0), ("sep_conv_3x3", 0)),
            (("skip_connect", 0), ("sep_conv_5x5", 0)),
            (("skip_connect", 0), ("sep_conv_5x5", 1)),
            (("sep_conv_3x3", 1), ("sep_conv_5x5", 0)),
            (("avg_pool_3x3", 0), ("sep_conv_5x5", 1)),
        ),
        (2, 3, 4, 5, 6),
    ),
    CellGenotype(
        (
            (("sep_conv_3x3", 1), ("sep_conv_3x3", 1)),
            (("max_pool_3x3", 0), ("avg_pool_3x3", 0)),
            (("sep_conv_5x5", 1), ("sep_conv_5x5", 3)),
            (("sep_conv_3x3", 1), ("skip_connect", 0)),
            (("max_pool_3x3", 0), ("sep_conv_5x5", 1)),
        ),
        (2, 4, 5, 6),
    ),
)
"""The cells of the authors' script for the micro space (Pham et al. 2018)."""

DARTS_V1 = Genotype(
    CellGenotype(
        (
            (("sep_conv_3x3", 1), ("sep_conv_3x3", 0)),
            (("skip_connect", 0), ("sep_conv_3x3", 1)),
            (("skip_connect", 0), ("sep_conv_3x3", 1)),
            (("sep_conv_3x3", 0), ("skip_connect", 2)),
        ),
        (2, 3, 4, 5),
    ),
    CellGenotype(
        (
            (("max_pool_3x3", 0), ("max_pool_3x3", 1)),
            (("skip_connect", 2), ("max_pool_3x3", 0)),
            (("max_pool_3x3", 0), ("skip_connect", 2)),
            (("skip_connect", 2), ("avg_pool_3x3", 0)),
        ),
        (2, 3, 4, 5),
    ),
)
"""First order, from the authors' code (Liu et al. 2018)."""

DARTS_V2 = Genotype(
    CellGenotype(
        (
            (("sep_conv_3x3", 0), ("sep_conv_3x3", 1)),
            (("sep_conv_3x3", 0), ("sep_conv_3x3", 1)),
            (("sep_conv_3x3", 1), ("skip_connect", 0)),
            (("skip_connect", 0), ("dil_conv_3x3", 2)),
        ),
        (2, 3, 4, 5),
    ),
    CellGenotype(
        (
            (("max_pool_3x3", 0), ("max_pool_3x3", 1)),
            (("skip_connect", 2), ("max_pool_3x3", 1)),
            (("max_pool_3x3", 0), ("skip_connect", 2)),
            (("skip_connect", 2), ("max_pool_3x3", 1)),
        ),
        (2, 3, 4, 5),
    ),
)
"""Second order, figures 4 and 5 of the paper."""
