"""Spectrograms: against the definition, and of a tone."""

from __future__ import annotations

import math

import torch

import netwright as nw
from netwright import layers


def test_is_the_transform_by_its_definition() -> None:
    module = layers.Spectrogram(12, 5)
    x = torch.randn(2, 3, 41, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    y = module.double()(x)
    turns = [2 * math.pi * i / 12 for i in range(12)]
    window = torch.tensor([0.5 - 0.5 * math.cos(turn) for turn in turns], dtype=torch.float64)
    assert y.shape == (2, 3, 7, 6)
    for frame in range(6):
        wanted = torch.fft.rfft(x[..., 5 * frame : 5 * frame + 12] * window).abs()
        torch.testing.assert_close(y[..., frame], wanted, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(layers.Spectrogram(12, 5, log=True).double()(x), (1 + y).log())


def test_a_tone_is_a_line() -> None:
    time = torch.arange(2048) / 256
    tone = torch.sin(2 * math.pi * 40 * time)[None, None]
    y = nw.Spectrogram(64, 16).module((1, 2048))(tone)
    assert set(y[0, 0].argmax(0).tolist()) == {10}  # 40 Hz of bins 256 / 64 Hz wide
