"""Convolutions: borders, deformable, unshared, tiled, tied, of higher order."""

from __future__ import annotations

from kit import Sample
from torch import nn

import netwright as nw
from oracles import surrogate

MAP = (6, 11, 9)
SMALL = (2, 7, 9)
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
    *(Sample(nw.Conv(4, kernel, stride, "tight", dilation), shape)
      for shape in (MAP, (6, 8, 10), LINE, BOX, DOT)
      for kernel, stride, dilation in ((3, 2, 1), (2, 1, 1), (5, 3, 2), (1, 2, 1), (2, 3, 1))),
    *(Sample(kind(4, 3, 2, padding="tight"), MAP)
      for kind in (nw.LocallyConnected, nw.TiledConv, nw.TiedGroupedConv, nw.DeformableConv)),
    Sample(nw.HigherOrderConv(4, 3, 2, padding="tight"), SMALL),
    bordered(nw.Conv(4, 3, 2, "tight", border="reflect"), MAP),
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
    Sample(nw.DeformableConv(4, (2, 3), (2, 1), ((0, 2), 1), (1, 2), 2, bias=False), MAP),
    *(Sample(nw.DeformableConv(4, 3, 2, modulated=m, offset_groups=g), shape)
      for shape in (MAP, DOT) for m, g in ((False, 1), (True, 3))),
    *(Sample(kind(4, *fields), shape)
      for kind in (nw.LocallyConnected, nw.TiledConv, nw.TiedGroupedConv)
      for shape, fields in ((MAP, (3, (2, 1))), (MAP, ((3, 2), 1, ((0, 2), 1), (1, 2))),
                            (LINE, (4, 2)), (BOX, ((2, 3, 1),)), (DOT, (3,)))),
    Sample(nw.LocallyConnected(4, bias=False), MAP),
    Sample(nw.TiledConv(4, 3, 2, tiles=(3, 20), bias=False), MAP),
    Sample(nw.TiedGroupedConv(6, groups=3, bias=False), MAP),
    *(Sample(nw.HigherOrderConv(4, *fields, products=products), shape)
      for products in ("complete", "diagonal")
      for shape, fields in ((SMALL, (3, (2, 1))), (SMALL, ((3, 2), 1, ((0, 2), 1), (1, 2))),
                            (LINE, (4, 2)), ((2, 5, 6, 4), ((2, 3, 1),)), (DOT, (1,)))),
    Sample(nw.HigherOrderConv(4, products="diagonal", bias=False), MAP),
    Sample(nw.HigherOrderConv(4, 2, bias=False), SMALL),
]  # fmt: skip

WRONG = {
    "Conv": [
        {"width": 0}, {"width": 2.5}, {"width": 4, "kernel": -1}, {"width": 4, "kernel": ()},
        {"width": 4, "padding": "most"}, {"width": 5, "groups": 2}, {"width": 4, "bias": 1},
        {"width": 4, "border": "mirror"}, {"width": 4, "border": True},
        {"width": 4, "border": float("nan")}, {"width": 4, "border": None},
    ],
    "DeformableConv": [{"width": 0}, {"width": 4, "modulated": 1}, {"width": 5, "groups": 2},
                       {"width": 4, "offset_groups": 0}],
    "LocallyConnected": [{"width": -1}, {"width": 4, "bias": 0}, {"width": 4, "kernel": 1.5}],
    "TiledConv": [{"width": "4"}, {"width": 4, "tiles": 0}, {"width": 4, "tiles": (2, -1)}],
    "TiedGroupedConv": [{"width": 5, "groups": 2}, {"width": 4, "groups": 1.0},
                        {"width": 4, "dilation": 0}],
    "HigherOrderConv": [{"width": None}, {"width": 4, "products": "cubic"},
                        {"width": 4, "stride": ()}],
}  # fmt: skip

MISFITS = {
    "Conv": [
        ((7, 9, 9), {"width": 4, "groups": 2}), ((8,), {"width": 4}),
        ((8, 3, 3), {"width": 4, "kernel": 5, "padding": 0}),
        ((8, 1, 1), {"width": 4, "border": "reflect"}),
        ((8, 9, 2), {"width": 4, "kernel": 7, "border": "circular"}),
    ],
    "DeformableConv": [((8, 9), {"width": 4}), ((8, 9, 9), {"width": 4, "offset_groups": 3}),
                       ((7, 9, 9), {"width": 4, "groups": 2})],
    "LocallyConnected": [((8,), {"width": 4}), ((8, 2, 2), {"width": 4, "padding": 0})],
    "TiledConv": [((8,), {"width": 4}), ((8, 9, 9), {"width": 4, "tiles": (2, 2, 2)})],
    "TiedGroupedConv": [((7, 9, 9), {"width": 4})],
    "HigherOrderConv": [((8,), {"width": 4}), ((8, 2, 2), {"width": 4, "padding": 0})],
}  # fmt: skip
