"""Dense units on single vectors and on sequences."""

from __future__ import annotations

from kit import Sample

import netwright as nw

TIME = "a sequence has time first; tests/units/test_dense.py looks along it"

SAMPLES = [
    Sample(nw.Linear(7), (5, 12), macs=5 * 12 * 7, support=TIME),
    Sample(nw.Linear(3, bias=False), (4, 1), macs=4 * 1 * 3, support=TIME),
    Sample(nw.Linear(1), (1,)),
    Sample(nw.Flatten(), (4, 1, 1)),
    Sample(nw.Flatten(), (9,)),
    Sample(nw.Reshape((1, 2, 6)), (12,)),
    Sample(nw.Reshape((4, 3)), (2, 3, 2)),
]
WRONG = {"Reshape": [{"to": (2, 0)}, {"to": 4}, {"to": ()}]}
MISFITS = {"Reshape": [((5,), {"to": (2, 3)})]}
