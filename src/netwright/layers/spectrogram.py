"""Signals as images of their frequencies."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Spectrogram"]


class Spectrogram(nn.Module):
    """Magnitudes of the short-time Fourier transform under a Hann window, without padding:
    (N, C, L) -> (N, C, n_fft // 2 + 1, frames); with `log` log(1 + |X|).
    """

    window: Tensor

    def __init__(self, n_fft: int = 64, hop_length: int = 32, log: bool = False) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.log = log
        self.register_buffer("window", torch.hann_window(n_fft))

    def forward(self, x: Tensor) -> Tensor:
        if not len(x):  # MKL transforms no empty batch
            size = len(self.window)
            frames = (x.shape[-1] - size) // self.hop_length + 1
            return x[:, :, None, :frames].expand(-1, -1, size // 2 + 1, -1)
        spectra = torch.stft(
            x.flatten(0, 1), len(self.window), self.hop_length,
            window=self.window, center=False, return_complex=True,
        )  # fmt: skip
        size = spectra.abs().unflatten(0, x.shape[:2])
        return size.log1p() if self.log else size

    def extra_repr(self) -> str:
        return f"n_fft={len(self.window)}, hop_length={self.hop_length}, log={self.log}"
