"""Pools that draw."""

from __future__ import annotations

from kit import Sample

import netwright as nw

MAP = (8, 13, 11)
LINE = (8, 23)
BOX = (4, 7, 6, 5)

SAMPLES = [
    Sample(nw.StochasticPool(), MAP, random=True),
    Sample(nw.StochasticPool(3, 2, 1), MAP, random=True),
    Sample(nw.StochasticPool(3, 2, ceil=True), LINE, random=True),
    Sample(nw.StochasticPool((1, 2, 2)), BOX, random=True),
    Sample(nw.StochasticPool(1), (3, 1, 1)),
    Sample(nw.TournamentPool(), MAP, random=True),
    Sample(nw.TournamentPool(3, 2, 1, ceil=True, entrants=3), MAP, random=True),
    Sample(nw.TournamentPool(4, entrants=1), LINE, random=True),
    Sample(nw.TournamentPool((2, 1, 2)), BOX, random=True),
    Sample(nw.TournamentPool(1), (3, 1, 1)),
    Sample(nw.FractionalMaxPool(), (8, 25, 21), random=True),
    Sample(nw.FractionalMaxPool(3, 0.4), (8, 25, 21), random=True),
    Sample(nw.FractionalMaxPool((2, 3), 0.7, "random"), (8, 25, 21), random=True),
    Sample(nw.FractionalMaxPool(ratio=0.6), LINE, random=True),
    Sample(nw.FractionalMaxPool(2, 0.7, "random"), BOX, random=True),
    Sample(nw.FractionalMaxPool(ratio=0.5), (3, 2, 2)),
]

WRONG = {
    "StochasticPool": [{"kernel": 0}, {"ceil": 1}],
    "TournamentPool": [{"entrants": 0}, {"stride": -1}],
    "FractionalMaxPool": [{"kernel": 0}, {"ratio": 1.5}, {"regions": "some"}],
}

MISFITS = {
    "StochasticPool": [((8, 1, 1), {}), ((8, 9, 9), {"padding": 2})],
    "TournamentPool": [((8,), {})],
    "FractionalMaxPool": [((8, 1, 1), {}), ((8, 9, 4), {"kernel": 4})],
}
