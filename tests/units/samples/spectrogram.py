"""Signals as images of their frequencies."""

from __future__ import annotations

from kit import Sample

import netwright as nw

SAMPLES = [
    Sample(nw.Spectrogram(), (2, 200)),
    Sample(nw.Spectrogram(16, 5), (3, 64)),
    Sample(nw.Spectrogram(9, 9), (1, 30)),
    Sample(nw.Spectrogram(16, 8, log=True), (2, 50)),
]
WRONG = {"Spectrogram": [{"size": 0}, {"stride": 0}, {"log": 2}]}
MISFITS = {"Spectrogram": [((1, 63), {}), ((1, 64, 64), {})]}
