"""What acts in training only."""

from __future__ import annotations

from kit import Sample

import netwright as nw

SAMPLES = [
    Sample(nw.Dropout(0.3), (12,), random=True),
    Sample(nw.Dropout(0), (4, 1, 1)),
    Sample(nw.SpatialDropout(0.3), (8, 21), random=True),
    Sample(nw.SpatialDropout(0.3), (8, 1, 1), random=True),
    Sample(nw.SpatialDropout(0.3), (8, 3, 5, 4), random=True),
    Sample(nw.DropPath(0.3), (12,), random=True),
    Sample(nw.DropPath(0.3), (4, 1, 1), random=True),
    Sample(nw.DropBlock(0.2, 3), (8, 13, 11), random=True),
    Sample(nw.DropBlock(0.3, 4), (8, 13, 3), random=True),
    Sample(nw.DropBlock(0.5), (8, 1, 1), random=True),
    Sample(nw.DropBlock(0.3, 5), (8, 23), random=True),
    Sample(nw.DropBlock(0.3, 2), (4, 7, 6, 5), random=True),
    Sample(nw.ShakeDrop(), (8, 13, 11), random=True),
    Sample(nw.ShakeDrop(0.25, (0.5, 1.5), (-1, 1)), (8, 1, 1), random=True),
    Sample(nw.ShakeDrop(0.4), (12,), random=True),
    Sample(nw.Cutout(4), (3, 13, 11), random=True),
    Sample(nw.Cutout((3, 5)), (3, 13, 11), random=True),
    Sample(nw.Cutout(1), (3, 1, 1)),
    Sample(nw.Cutout(7), (3, 23), random=True),
    Sample(nw.Cutout((1, 3, 3)), (3, 7, 6, 5), random=True),
]

WRONG = {
    "DropBlock": [{"rate": 1}, {"size": 0}, {"size": (3, 3)}],
    "ShakeDrop": [{"rate": -0.5}, {"alpha": 1}, {"alpha": (1, -1)}, {"beta": (0, float("inf"))},
                  {"beta": ("low", "high")}, {"beta": (0, 0.5, 1)}],
    "Cutout": [{"size": 0}, {"size": ()}],
}  # fmt: skip

MISFITS = {
    "DropBlock": [((8,), {})],
    "Cutout": [((8,), {}), ((3, 9, 9), {"size": (3, 3, 3)})],
    "SpatialDropout": [((8,), {})],
}
