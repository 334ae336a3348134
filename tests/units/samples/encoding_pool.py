"""Pools that encode."""

from __future__ import annotations

from kit import Sample

import netwright as nw

MAP = (8, 13, 11)
LINE = (8, 23)
BOX = (4, 7, 6, 5)

SAMPLES = [
    Sample(nw.CompactBilinearPool(32), MAP),
    Sample(nw.CompactBilinearPool(17), LINE),
    Sample(nw.CompactBilinearPool(16), BOX),
    Sample(nw.CompactBilinearPool(8), (3, 1, 1)),
    Sample(nw.OrderlessPool(), MAP),
    Sample(nw.OrderlessPool(4, (5, 3, 1), 2, 0.5), MAP),
    Sample(nw.OrderlessPool(3, (4,)), LINE),
    Sample(nw.OrderlessPool(3, 2), BOX),
    Sample(nw.OrderlessPool(3, (1, 1)), (3, 1, 1)),
    Sample(nw.PCAPool(6), MAP),
    Sample(nw.PCAPool(5, (3, 4), (1, 2), "same"), MAP),
    Sample(nw.PCAPool(4, 3, 2), LINE),
    Sample(nw.PCAPool(4, (1, 2, 2)), BOX),
    Sample(nw.PCAPool(2, 1), (3, 1, 1)),
]

WRONG = {
    "CompactBilinearPool": [{"width": 0}, {"width": 2.5}],
    "OrderlessPool": [{"centres": 0}, {"windows": ()}, {"windows": (2, 0)}, {"sigma": 0},
                      {"stride": 0}],
    "PCAPool": [{"width": 0}, {"width": 3, "kernel": 0}, {"width": 3, "padding": "some"}],
}  # fmt: skip

MISFITS = {
    "CompactBilinearPool": [((8,), {"width": 4})],
    "OrderlessPool": [((8, 3, 9), {}), ((8,), {})],
    "PCAPool": [((2, 9, 9), {"width": 8}), ((8, 2, 2), {"width": 3, "kernel": 3})],
}
