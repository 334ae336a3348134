"""Multiply-adds by hand, where counting tools go wrong."""

from __future__ import annotations

import pytest

import netwright as nw
from netwright.core.net import Net

CASES = {
    "transposed, 4x4 stride 2: every input, every weight": (
        nw.TransposedConv(8, 4, 2, 1), (16, 16, 16), 16 * 16 * 16 * 8 * 4 * 4, 524_288,
    ),
    "dense over a sequence: every step": (nw.Linear(32), (10, 64), 10 * 64 * 32, 20_480),
    "LSTM: four gates from input and state": (
        nw.LSTM(40), (10, 56), 10 * 4 * 40 * (56 + 40), 153_600,
    ),
    "scaled dot product: scores and values": (
        nw.DotAttention(scaled=True), (10, 64), 2 * 10 * 10 * 64, 12_800,
    ),
    "multi-head: four projections, scores, values": (
        nw.MultiHeadAttention(8), (10, 64), 4 * 10 * 64 * 64 + 2 * 10 * 10 * 64, 176_640,
    ),
    "grouped and dilated": (
        nw.Conv(32, 3, groups=4, dilation=2), (16, 20, 20), 400 * 9 * 4 * 32, 460_800,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_macs_by_hand(name: str) -> None:
    unit, shape, formula, count = CASES[name]
    assert Net(unit, shape).plan().macs == formula == count
