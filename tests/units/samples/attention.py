"""Attention units; MACs by hand where PyTorch's counter misses its fused attention on CPU."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from kit import Sample
from torch import Tensor

import netwright as nw

TIME = "a sequence has time first; tests/units/test_attention.py looks along it"


def apart(batch: int) -> Sequence[Tensor]:
    """Queries (5, 8) that each have a clear favourite in a memory (7, 8)."""
    memory = 3 * torch.eye(7, 8) + torch.rand(batch, 7, 8) / 5
    return [memory[:, [3, 0, 6, 1, 3]] + torch.rand(batch, 5, 8) / 5, memory]


def alone(batch: int) -> Sequence[Tensor]:
    """(7, 8), every step its own favourite."""
    return [3 * torch.eye(7, 8) + torch.rand(batch, 7, 8) / 5]


SAMPLES = [
    Sample(nw.DotAttention(), (10, 64), macs=12_800),
    Sample(nw.DotAttention(scaled=True), (5, 8), (7, 8), macs=2 * 5 * 7 * 8),
    Sample(nw.AdditiveAttention(6), (5, 8), (7, 3)),
    Sample(nw.AdditiveAttention(6), (7, 5)),
    Sample(nw.AdditiveAttention(1), (1, 1), (1, 1)),
    Sample(nw.MultiHeadAttention(8), (10, 64), macs=176_640),
    Sample(
        nw.MultiHeadAttention(bias=False), (5, 8), (7, 3),
        macs=2 * 8 * (5 * 8 + 7 * 3) + 2 * 5 * 7 * 8,
    ),
    Sample(nw.LocalAttention(2, heads=2), (9, 8), support=TIME),
    Sample(nw.LocalAttention(0, bias=False), (7, 5), support=TIME),
    Sample(nw.LocalAttention(3), (1, 1), support=TIME),
    Sample(nw.HardAttention(), (5, 8), (7, 8), inputs=apart, random=True, smooth=False),
    Sample(nw.HardAttention("reinforce"), (7, 8), inputs=alone, random=True, smooth=False),
]  # fmt: skip

WRONG = {
    "DotAttention": [{"scaled": 1}],
    "AdditiveAttention": [{"width": 0}],
    "MultiHeadAttention": [{"heads": 0}, {"bias": "no"}],
    "LocalAttention": [{"radius": -1}, {"radius": 2, "heads": 0}, {"radius": 2.5}],
    "HardAttention": [{"estimator": "guess"}, {"temperature": 0}],
}

MISFITS = {
    "DotAttention": [((8,), {}), ((3, 8, 8), {})],
    "AdditiveAttention": [((8,), {"width": 4})],
    "MultiHeadAttention": [((5, 8), {"heads": 3}), ((3, 8, 8), {"heads": 2})],
    "LocalAttention": [((5, 8), {"radius": 2, "heads": 3}), ((8,), {"radius": 2})],
    "HardAttention": [((8,), {})],
}
