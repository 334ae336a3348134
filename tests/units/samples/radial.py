"""Distances to fixed points."""

from __future__ import annotations

from kit import Sample

import netwright as nw

SAMPLES = [Sample(nw.RadialBasis(5), (9,)), Sample(nw.RadialBasis(7), (8,))]
WRONG = {"RadialBasis": [{"width": 0}]}
MISFITS = {"RadialBasis": [((8,), {"width": 8}), ((4, 5), {"width": 2})]}
