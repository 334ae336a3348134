"""Recurrent units over (T, F); those of PyTorch's layers need MACs by hand: its counter
does not know them."""

from __future__ import annotations

from kit import Sample

import netwright as nw

TIME = "a sequence has time first; tests/units/test_recurrent.py looks along it"
LOOPS = "PyTorch breaks the graph at nn.RNN, LSTM and GRU (torch._dynamo.config.allow_rnn)"


def sample(unit: nw.Spec, macs: int, shape: tuple[int, int] = (7, 5)) -> Sample:
    return Sample(unit, shape, macs=macs, support=TIME, compiles=LOOPS)


SAMPLES = [
    sample(nw.RNN(6), 7 * 6 * (5 + 6)),
    sample(nw.RNN(6, act="relu", last=True), 7 * 6 * (5 + 6)),
    sample(nw.RNN(3, bidirectional=True, bias=False), 7 * 2 * 3 * (5 + 3)),
    sample(nw.LSTM(48), 153_600, (10, 32)),
    sample(nw.LSTM(6, depth=2), 7 * 4 * 6 * (5 + 6) + 7 * 4 * 6 * (6 + 6)),
    sample(nw.LSTM(6, bidirectional=True, last=True), 7 * 2 * 4 * 6 * (5 + 6)),
    sample(nw.LSTM(4, last=True), 4 * 4 * (1 + 4), (1, 1)),
    sample(nw.GRU(6), 7 * 3 * 6 * (5 + 6)),
    sample(
        nw.GRU(6, depth=3, bidirectional=True, last=True, bias=False),
        7 * 2 * 3 * 6 * ((5 + 6) + (12 + 6) + (12 + 6)),
    ),
    Sample(nw.CatFeatures(), (7, 5), (7, 2), (7, 1)),
    Sample(nw.ConvLSTM(4), (5, 3, 7, 6), support=TIME),
    Sample(nw.ConvLSTM(4, (1, 3), peepholes=False, last=True), (3, 2, 7, 6)),
    Sample(nw.ConvLSTM(4, 5, bias=False), (4, 2, 9), support=TIME),
    Sample(nw.ConvLSTM(3), (2, 2, 3, 5, 4), support=TIME),
    Sample(nw.ConvLSTM(3), (1, 2, 1, 1), support=TIME),
]

WRONG = {
    "RNN": [{"width": 0}, {"width": 4, "act": "sine"}, {"width": 4, "depth": 0}],
    "LSTM": [{"width": 2.5}, {"width": 4, "bidirectional": 1}, {"width": 4, "last": "yes"}],
    "GRU": [{"width": -1}, {"width": 4, "bias": None}],
    "ConvLSTM": [{"width": 0}, {"width": 4, "kernel": 2}, {"width": 4, "peepholes": 1},
                 {"width": 4, "kernel": (3, 4)}, {"width": 4, "kernel": 0}],
}  # fmt: skip

MISFITS = {
    "RNN": [((8,), {"width": 4})],
    "LSTM": [((3, 8, 8), {"width": 4}), ((8,), {"width": 4})],
    "GRU": [((5, 3, 8, 8), {"width": 4})],
    "CatFeatures": [((8,), {})],
    "ConvLSTM": [((7, 5), {"width": 4}), ((2, 3, 8, 8), {"width": 4, "kernel": (3, 3, 3)})],
}
