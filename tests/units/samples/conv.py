"""Convolutions: borders, deformable, unshared, tiled, tied, of higher order."""

from __future__ import annotations

from kit import Sample
from torch import nn

import netwright as nw
from oracles import surrogate

MAP = (6, 11, 9)
LINE = (6, 17)
BOX = (4, 5, 6, 5)
DOT = (6, 1, 1)


def zero_border(module: nn.Module) -> nn.Module:
    """A field counts the padding as outside, so here nothing of the map may stand in it."""
    module = surrogate(module)
    if hasattr(module, "border"):
        module.border = "zeros"
    module.padding_mode = "zeros"
    return module


def bordered(unit: nw.Conv, shape: tuple[int, ...]) -> Sample:
    return Sample(unit, shape, surrogate=zero_border, random=unit.border == "random")


SAMPLES = [
    *(
        bordered(nw.Conv(4, *fields, border=border), shape)
        for border in ("circular", "replicate", "reflect", "symmetric", "crop", "random", -1.5)
        for shape, fields in (
            (MAP, (5, (2, 1))),
            (MAP, (3, 1, ((0, 2), 2), (1, 2), 2)),
            (LINE, (4,)),
            (BOX, ((3, 2, 3), 1, "same", 1, 2, False)),
        )
    ),
    *(bordered(nw.Conv(4, border=b), DOT) for b in ("circular", "symmetric", "crop", 2)),
    Sample(nw.Conv(4, 7, border="symmetric"), (6, 2, 9), support="wraps into the map twice"),
]

WRONG = {
    "Conv": [
        {"width": 0}, {"width": 2.5}, {"width": 4, "kernel": -1}, {"width": 4, "kernel": ()},
        {"width": 4, "padding": "most"}, {"width": 5, "groups": 2}, {"width": 4, "bias": 1},
        {"width": 4, "border": "mirror"}, {"width": 4, "border": True},
        {"width": 4, "border": float("nan")}, {"width": 4, "border": None},
    ],
}  # fmt: skip

MISFITS = {
    "Conv": [
        ((7, 9, 9), {"width": 4, "groups": 2}), ((8,), {"width": 4}),
        ((8, 3, 3), {"width": 4, "kernel": 5, "padding": 0}),
        ((8, 1, 1), {"width": 4, "border": "reflect"}),
        ((8, 9, 2), {"width": 4, "kernel": 7, "border": "circular"}),
    ],
}  # fmt: skip
