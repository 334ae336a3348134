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
    Sample(nw.SelectChannels((7, 0, 3)), MAP),
    Sample(nw.SelectChannels((2, 2)), LINE),
    Sample(nw.SelectChannels((0,)), BOX),
    Sample(nw.SelectChannels((4, 1)), (8,)),
    *(Sample(nw.Affine(), shape) for shape in (MAP, LINE, BOX, (8,))),
    Sample(nw.LayerScale(), MAP),
    Sample(nw.LayerScale(0.5), LINE),
    Sample(nw.LayerScale(-1.0), BOX),
    Sample(nw.LayerScale(), (8,)),
]

WRONG = {
    "Channels": [{"stop": 4, "start": -1}, {"start": 4, "stop": 4}, {"start": 0, "stop": 0}],
    "SelectChannels": [{"channels": ()}, {"channels": (0, -1)}, {"channels": 2}],
    "LayerScale": [{"factor": float("inf")}],
}

MISFITS = {
    "Affine": [((2, 3, 4, 5, 6), {})],
    "Channels": [((6, 4, 4), {"start": 4, "stop": 8})],
    "SelectChannels": [((6, 4, 4), {"channels": (1, 6)})],
}
