"""Channels taken and scaled."""

from __future__ import annotations

from kit import Sample

import netwright as nw

MAP = (8, 13, 11)
LINE = (8, 23)
BOX = (4, 7, 6, 5)

SAMPLES = [
    Sample(nw.Channels(0, 4), MAP),
    Sample(nw.Channels(5, 8), LINE),
    Sample(nw.Channels(1, 2), BOX),
    Sample(nw.Channels(2, 7), (8,)),
    Sample(nw.LayerScale(), MAP),
    Sample(nw.LayerScale(0.5), LINE),
    Sample(nw.LayerScale(-1.0), BOX),
    Sample(nw.LayerScale(), (8,)),
]

WRONG = {
    "Channels": [{"stop": 4, "start": -1}, {"start": 4, "stop": 4}, {"start": 0, "stop": 0}],
    "LayerScale": [{"factor": float("inf")}],
}

MISFITS = {
    "Channels": [((6, 4, 4), {"start": 4, "stop": 8})],
}
