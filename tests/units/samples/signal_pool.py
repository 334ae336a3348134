"""Pools with weights."""

from __future__ import annotations

from kit import Sample

import netwright as nw

MAP = (8, 13, 11)
LINE = (8, 23)
BOX = (4, 7, 6, 5)

SAMPLES = [
    Sample(nw.LeapPool(), LINE),
    Sample(nw.LeapPool(5, 2), LINE),
    Sample(nw.LeapPool(3), MAP),
    Sample(nw.LeapPool(3, 1), MAP),
    Sample(nw.LeapPool(1), (3, 1, 1)),
    Sample(nw.GeneticPool(), MAP),
    Sample(nw.GeneticPool(3, 2, 1), MAP),
    Sample(nw.GeneticPool(3, 2, ceil=True), LINE),
    Sample(nw.GeneticPool((1, 2, 2)), BOX),
    Sample(nw.GeneticPool(1), (3, 1, 1)),
]

WRONG = {
    "LeapPool": [{"kernel": 0}, {"stride": 0}, {"kernel": (2, 2)}],
    "GeneticPool": [{"kernel": 0}, {"ceil": "no"}],
}

MISFITS = {
    "LeapPool": [((4, 7, 6, 5), {}), ((8, 3), {"kernel": 4})],
    "GeneticPool": [((8, 1, 1), {})],
}
