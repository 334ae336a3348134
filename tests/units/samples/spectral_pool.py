"""Pools that keep low frequencies."""

from __future__ import annotations

from kit import Sample

import netwright as nw

MAP = (8, 13, 11)
LINE = (8, 23)
BOX = (4, 7, 6, 5)

SAMPLES = [
    Sample(nw.SpectralPool(6), MAP),
    Sample(nw.SpectralPool((5, 11), "dct"), MAP),
    Sample(nw.SpectralPool((13, 4), "dct"), MAP),
    Sample(nw.SpectralPool(8), LINE),
    Sample(nw.SpectralPool((7, 3, 4)), BOX),
    Sample(nw.SpectralPool(3, "dct"), BOX),
    Sample(nw.SpectralPool(1), (3, 1, 1)),
    Sample(nw.WaveletPool(), MAP),
    Sample(nw.WaveletPool(2), (8, 24, 21)),
    Sample(nw.WaveletPool(3), LINE),
    Sample(nw.WaveletPool(), BOX),
    Sample(nw.WaveletPool(2), (3, 1, 1)),
    Sample(nw.WaveletPool(2), (3, 5, 1, 2)),
]

WRONG = {
    "SpectralPool": [{"size": 0}, {"size": 4, "basis": "haar"}],
    "WaveletPool": [{"levels": 0}, {"levels": 1.5}],
}

MISFITS = {
    "SpectralPool": [((8, 5, 9), {"size": 6}), ((8,), {"size": 2})],
    "WaveletPool": [((8,), {})],
}
