"""Published spaces of cells (Zoph et al. 2017, arXiv:1707.07012; Liu et al. 2017, arXiv:1712.00559;
Real et al. 2018, arXiv:1802.01548; Pham et al. 2018, arXiv:1802.03268; Liu et al. 2018,
arXiv:1806.09055).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netwright.nets.registry import entry
from netwright.space.cells import CellSpace
from netwright.space.registry import named

__all__ = ["amoebanet", "darts", "enas", "nasnet", "pnas"]

POOLS = ("avg_pool_3x3", "max_pool_3x3")
NASNET = (
    "identity", "conv_7x1_1x7", "avg_pool_3x3", "max_pool_3x3", "max_pool_5x5", "max_pool_7x7",
    "conv_1x1", "conv_3x3", "dilated_conv_3x3", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7",
    "conv_3x1_1x3",
)  # fmt: skip
"""The 13 operations of section 3.1 of the NASNet paper."""


def _words(operations: Sequence[str], frame: str) -> tuple[str, ...]:
    """The operations in the words of the frame: DARTS reduces maps on its idle edges."""
    idle = "identity" if "nasnet" in entry(frame).make.__name__ else "skip_connect"
    return tuple([idle if name == "identity" else name for name in operations])


@named("nasnet")
def nasnet(frame: str = "nasnet_a_cifar10", **options: Any) -> CellSpace:
    """NASNet's cells: five nodes, two of 13 operations each, unread nodes side by side."""
    return CellSpace("nasnet", _words(NASNET, frame), 5, frame, **options)


@named("amoebanet")
def amoebanet(frame: str = "amoebanet_a_cifar10", **options: Any) -> CellSpace:
    """AmoebaNet's cells: as NASNet's, of eight operations."""
    names = ("identity", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", *POOLS,
             "dil_sep_conv_3x3", "conv_7x1_1x7")  # fmt: skip
    return CellSpace("amoebanet", _words(names, frame), 5, frame, **options)


@named("pnas")
def pnas(frame: str = "darts_v2_cifar10", nodes: int = 5, **options: Any) -> CellSpace:
    """PNAS's cells: as NASNet's, of eight operations, one cell for both kinds. All nodes are put
    out, as in the authors' PNASNet-5.
    """
    names = ("sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "conv_7x1_1x7", "identity", *POOLS,
             "dilated_conv_3x3")  # fmt: skip
    return CellSpace(
        "pnas", _words(names, frame), nodes, frame, unread=False, alike=True, **options
    )


@named("enas")
def enas(frame: str = "enas_cifar10", **options: Any) -> CellSpace:
    """ENAS's micro space: five nodes, two of five operations each, unread nodes side by side."""
    names = ("sep_conv_3x3", "sep_conv_5x5", *POOLS, "identity")
    return CellSpace("enas", _words(names, frame), 5, frame, **options)


@named("darts")
def darts(frame: str = "darts_v2_cifar10", nodes: int = 4, **options: Any) -> CellSpace:
    """DARTS's cells: four nodes, two of seven operations on different states each, all nodes side
    by side.

    >>> darts().size == (1 * 3 * 6 * 10 * 7**8) ** 2
    True
    """
    names = ("max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5",
             "dil_conv_3x3", "dil_conv_5x5")  # fmt: skip
    return CellSpace("darts", names, nodes, frame, apart=True, unread=False, **options)
