"""Joins that average."""

from __future__ import annotations

from kit import Sample

import netwright as nw

MAP = (8, 13, 11)

SAMPLES = [
    Sample(nw.Mean(), MAP, MAP, MAP),
    Sample(nw.Mean(), MAP),
    Sample(nw.WeightedSum(), MAP, MAP),
    Sample(nw.WeightedSum(), MAP),
    Sample(nw.WeightedSum(), (5,), (5,), (5,)),
]
