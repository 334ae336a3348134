"""Spectral pooling against the transforms of NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.fft import dctn, idctn
from torch.nn import functional as F

from netwright.layers import SpectralPool, WaveletPool, low_pass


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def cropped_fft(x: np.ndarray, size: int, axis: int) -> np.ndarray:
    """The `size` lowest frequencies of an axis; the unpaired one of an even size is real."""
    n = x.shape[axis]
    if size == n:
        return x
    spectrum = np.moveaxis(np.fft.fft(x, axis=axis), axis, -1)
    half = (size - 1) // 2
    kept = [spectrum[..., : half + 1]]
    if size % 2 == 0:
        kept.append((spectrum[..., size // 2, None] + spectrum[..., n - size // 2, None]) / 2)
    kept.append(spectrum[..., n - half :] if half else spectrum[..., :0])
    y = np.fft.ifft(np.concatenate(kept, -1)) * size / n
    assert abs(y.imag).max() < 1e-12
    return np.moveaxis(y.real, -1, axis)


@pytest.mark.parametrize("size", [(7, 5), (8, 6), (1, 2), (13, 12), (12, 13)])
def test_dft_is_numpys(size: tuple[int, int]) -> None:
    x = noise(2, 3, 13, 14)
    wanted = cropped_fft(cropped_fft(x.numpy(), size[0], 2), size[1], 3)
    np.testing.assert_allclose(SpectralPool(size)(x).numpy(), wanted, atol=1e-12)


def test_dft_of_odd_sizes_is_the_cropped_plane() -> None:
    x = noise(2, 3, 12, 15)
    middle = np.fft.fftshift(np.fft.fft2(x.numpy()), (2, 3))[:, :, 3:10, 5:10]
    wanted = np.fft.ifft2(np.fft.ifftshift(middle, (2, 3))) * 35 / 180
    np.testing.assert_allclose(SpectralPool((7, 5))(x).numpy(), wanted.real, atol=1e-12)


@pytest.mark.parametrize("size", [(7, 5), (8, 6), (1, 14)])
def test_dct_is_scipys(size: tuple[int, int]) -> None:
    x = noise(2, 3, 13, 14)
    kept = dctn(x.numpy(), axes=(2, 3), norm="ortho")[:, :, : size[0], : size[1]]
    scale = np.sqrt(np.prod(size) / (13 * 14))
    wanted = idctn(kept, axes=(2, 3), norm="ortho") * scale
    np.testing.assert_allclose(SpectralPool(size, "dct")(x).numpy(), wanted, atol=1e-12)


@pytest.mark.parametrize("basis", ["dft", "dct"])
@pytest.mark.parametrize(("n", "m"), [(9, 9), (10, 10), (31, 8), (112, 56), (57, 1)])
def test_low_pass_keeps_the_mean_and_what_it_keeps(basis: str, n: int, m: int) -> None:
    matrix = low_pass(n, m, basis, torch.float64)
    torch.testing.assert_close(matrix.sum(1), torch.ones(m, dtype=torch.float64))
    if n == m:
        torch.testing.assert_close(matrix, torch.eye(n, dtype=torch.float64))
    narrower = low_pass(m, max(1, m // 2), basis, torch.float64)
    if m // 2 % 2 or basis == "dct":  # two truncations are one
        straight = low_pass(n, max(1, m // 2), basis, torch.float64)
        torch.testing.assert_close(narrower @ matrix, straight)


@pytest.mark.parametrize("basis", ["dft", "dct"])
def test_a_slow_wave_survives(basis: str) -> None:
    wave = torch.cos(torch.pi * (torch.arange(24, dtype=torch.float64) + 0.5) / 24 * 2)
    kept = torch.cos(torch.pi * (torch.arange(12, dtype=torch.float64) + 0.5) / 12 * 2)
    if basis == "dft":  # positions j / m and i / n, not cell centres
        wave = torch.cos(2 * torch.pi * torch.arange(24, dtype=torch.float64) / 24)
        kept = torch.cos(2 * torch.pi * torch.arange(12, dtype=torch.float64) / 12)
    torch.testing.assert_close(SpectralPool(12, basis)(wave[None, None])[0, 0], kept)


def test_wavelet_is_haars_low_band() -> None:
    x = noise(2, 3, 12, 16)
    haar = torch.zeros(16, 16, dtype=torch.float64)
    for i in range(8):
        haar[i, 2 * i : 2 * i + 2] = 2**-0.5
        haar[8 + i, 2 * i], haar[8 + i, 2 * i + 1] = 2**-0.5, -(2**-0.5)
    torch.testing.assert_close(haar @ haar.T, torch.eye(16, dtype=torch.float64))
    low = torch.einsum("ih,jw,nchw->ncij", haar[:6, :12], haar[:8], x)
    torch.testing.assert_close(WaveletPool()(x), low)
    twice = torch.einsum("ih,jw,nchw->ncij", haar[:3, :6], haar[:4, :8], low)
    torch.testing.assert_close(WaveletPool(2)(x), twice)


def test_wavelet_repeats_an_odd_end() -> None:
    x = noise(2, 3, 7, 5)
    longer = F.pad(x, (0, 1, 0, 1), mode="replicate")
    torch.testing.assert_close(WaveletPool()(x), WaveletPool()(longer))
