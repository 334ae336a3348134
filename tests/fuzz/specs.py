"""A few specs of every class, and shapes that they take."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from kit import SAMPLES

import netwright as nw
from netwright.core.spec import SPECS, Spec
from netwright.nets.catalogue import load

__all__ = ["SHAPES", "by_class"]

SHAPES = ((8, 16, 16), (16, 33, 31), (3, 224, 224), (8, 64), (4, 8, 16, 16), (12, 7), (64,))
"""Inputs of every rank."""
MOST = 4
"""Specs of a class that are taken from nets."""
CELL = nw.CellGenotype(((("sep_conv_3x3", 0), ("identity", 1)),))
OTHERS = (
    nw.Choice(nw.Conv(4), nw.ReLU()), nw.DenseBiLstm(2, 4), nw.Edge("sep_conv_3x3", 8),
    nw.EdgeCell(("conv_3x3", "none", "conv_1x1")), nw.Fork(a=nw.Conv(4), b=nw.ReLU()),
    nw.Gate(a=nw.Identity(), b=nw.Sigmoid()), nw.Genotype(CELL, CELL), nw.MLP((8, 4)),
    nw.Motif(("conv_1x1", "none", "identity"), 4),
    nw.MotifCell((("conv_1x1",), ("identity",)), (1, 2, 0), 4), nw.NaiveInception(4, 4, 4),
    nw.ResidualUnit((nw.ConvNormAct(8), nw.ConvNormAct(8))), nw.Shared(nw.Conv(4), "key"),
    nw.Sum(a=nw.Identity(), b=nw.ReLU()), nw.VertexCell(("conv_1x1",), ((0, 1), (1, 2)), 4),
)  # fmt: skip
"""Of classes that no registered net holds, and that want more than a number."""


@cache
def by_class() -> dict[str, list[Spec]]:
    """Specs by the name of their class: from the units' kit, from what nets hold, from `OTHERS`;
    of a class that is nowhere with a number in each field that it needs.
    """
    load()
    specs: dict[str, dict[Spec, None]] = {}
    kits = [sample.unit for samples in SAMPLES.values() for sample in samples]
    for spec in [*kits, *OTHERS]:
        specs.setdefault(type(spec).__name__, {})[spec] = None
    for name in nw.nets():
        for spec in _inside(nw.net(name).spec):
            known = specs.setdefault(type(spec).__name__, {})
            if len(known) < MOST:
                known[spec] = None
    for name in sorted(SPECS.keys() - specs.keys()):
        kind = SPECS[name]
        needed = [field for field in kind.field_names if field not in kind.defaults]
        if kind.__module__.startswith("netwright."):
            specs[name] = {kind(**dict.fromkeys(needed, 4)): None}
    return {name: list(known) for name, known in sorted(specs.items())}


def _inside(value: Any) -> Iterator[Spec]:
    """A spec and all that its fields hold."""
    if isinstance(value, Spec):
        yield value
        for inner in value.values():
            yield from _inside(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _inside(inner)
