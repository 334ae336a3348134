"""Convolution as a matrix against numpy, scipy and torch, and the worked examples."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import linalg, signal
from torch.nn import functional as F

from netwright.look import circulant, conv_matrix, eigenvalues, toeplitz

few = settings(max_examples=25, deadline=None)
modes = st.sampled_from(["full", "same", "valid"])
sizes = st.integers(1, 7)


def whole(shape, seed: int = 0) -> torch.Tensor:
    """Whole numbers as floats: sums of products are exact in any order."""
    return torch.tensor(np.random.default_rng(seed).integers(-9, 10, shape), dtype=torch.float64)


@few
@given(n=st.integers(1, 20), k=sizes, mode=modes)
def test_toeplitz_is_numpys_convolution(n: int, k: int, mode: str) -> None:
    k = min(n, k)  # numpy swaps them otherwise
    x, w = whole(n), whole(k, 1)
    assert_array_equal(toeplitz(w, n, mode) @ x, np.convolve(x, w, mode))


@few
@given(h=sizes, w=sizes, kh=sizes, kw=sizes, mode=modes)
def test_doubly_block_toeplitz_is_scipys(h: int, w: int, kh: int, kw: int, mode: str) -> None:
    x, kernel = whole((h, w)), whole((min(kh, h), min(kw, w)), 1)
    y = toeplitz(kernel, (h, w), mode) @ x.flatten()
    wanted = signal.convolve2d(x, kernel, mode)
    assert_array_equal(y.reshape(wanted.shape), wanted)


def test_any_number_of_axes() -> None:
    x, kernel = whole((4, 5, 3)), whole((2, 3, 2), 1)
    wanted = np.rint(signal.convolve(x.numpy(), kernel.numpy(), method="direct"))
    assert_array_equal(toeplitz(kernel, (4, 5, 3)) @ x.flatten(), wanted.flatten())


def test_blocks_are_toeplitz_and_so_is_their_order() -> None:
    kernel = whole((2, 3), 3)
    blocks = toeplitz(kernel, (4, 5)).to_dense().reshape(5, 7, 4, 5).transpose(1, 2)
    for i in range(5):
        for j in range(4):
            row = kernel[i - j] if 0 <= i - j < 2 else torch.zeros(3)
            first = np.pad(row, (0, 4))
            assert_array_equal(blocks[i, j], linalg.toeplitz(first, [first[0], 0, 0, 0, 0]))


@few
@given(h=sizes, w=sizes, kh=sizes, kw=sizes)
def test_doubly_block_circulant_is_circular_convolution(h: int, w: int, kh: int, kw: int) -> None:
    """Of any sizes: a kernel longer than the image wraps round."""
    x, kernel = whole((h, w)), whole((kh, kw), 1)
    y = (circulant(kernel, (h, w)) @ x.flatten()).reshape(h, w)
    shifted = [kernel[i, j] * x.roll((i, j), (0, 1)) for i in range(kh) for j in range(kw)]
    wanted = torch.stack(shifted).sum(0)
    assert_array_equal(y, wanted)
    spectra = torch.fft.fft2(x) * eigenvalues(kernel, (h, w))
    torch.testing.assert_close(torch.fft.ifft2(spectra).real, y)


@few
@given(n=st.integers(1, 12), k=sizes)
def test_eigenvalues_of_the_circulant_are_the_kernels_transform(n: int, k: int) -> None:
    kernel = whole(min(n, k), 2)
    matrix = circulant(kernel, n).to_dense()
    assert_array_equal(matrix, linalg.circulant(F.pad(kernel, (0, n - len(kernel)))))
    values = eigenvalues(kernel, n)
    torch.testing.assert_close(values, torch.tensor(np.fft.fft(kernel, n)))
    waves = torch.exp(2j * torch.pi * torch.outer(torch.arange(n), torch.arange(n)) / n)
    waves = waves.to(torch.complex128)
    torch.testing.assert_close(matrix.to(waves.dtype) @ waves, waves * values, atol=1e-4, rtol=1e-5)


@few
@given(
    h=st.integers(3, 9), w=st.integers(3, 9), k=st.integers(1, 3), s=st.integers(1, 3),
    p=st.integers(0, 2), channels=st.integers(1, 3), many=st.integers(1, 3),
)  # fmt: skip
def test_conv_matrix_is_conv2d_and_its_transpose(h, w, k, s, p, channels, many) -> None:
    x, weight = whole((channels, h, w)), whole((many, channels, k, 2), 1)
    matrix = conv_matrix(weight, (h, w), s, p)
    y = F.conv2d(x, weight, stride=s, padding=p)
    assert_array_equal(matrix @ x.flatten(), y.flatten())
    extra = [(n + 2 * p - kernel) % s for n, kernel in ((h, k), (w, 2))]
    back = F.conv_transpose2d(y[None], weight, stride=s, padding=p, output_padding=extra)
    assert_array_equal(matrix.T @ y.flatten(), back.flatten())


def test_conv_matrix_dilated_in_one_and_three_dimensions() -> None:
    x, weight = whole((2, 11)), whole((3, 2, 3), 1)
    y = F.conv1d(x, weight, padding=2, dilation=3)
    assert_array_equal(conv_matrix(weight, 11, padding=2, dilation=3) @ x.flatten(), y.flatten())
    x, weight = whole((1, 4, 5, 6)), whole((2, 1, 2, 3, 2), 1)
    y = F.conv3d(x, weight, stride=(1, 2, 1), dilation=(2, 1, 1))
    matrix = conv_matrix(weight, (4, 5, 6), (1, 2, 1), 0, (2, 1, 1))
    assert_array_equal(matrix @ x.flatten(), y.flatten())


@few
@given(n=st.integers(3, 9), k=st.integers(1, 3))
def test_correlation_is_convolution_with_the_kernel_turned_round(n: int, k: int) -> None:
    kernel = whole((k, k), 4)
    correlation = conv_matrix(kernel[None, None], n).to_dense()
    assert_array_equal(correlation, toeplitz(kernel.flip(0, 1), n, "valid").to_dense())


def test_gradients_reach_the_kernel() -> None:
    kernel = whole((2, 2)).requires_grad_()
    x = whole((4, 5), 1)
    (toeplitz(kernel, (4, 5), "valid") @ x.flatten()).sum().backward()
    wanted = torch.stack([x[i : i + 3, j : j + 4].sum() for i in (1, 0) for j in (1, 0)])
    assert_array_equal(kernel.grad.flatten(), wanted)


def test_what_does_not_fit_is_refused() -> None:
    w = torch.ones(3, 3)
    with pytest.raises(ValueError, match="kernel of 3 does not fit an input of 2"):
        toeplitz(w, (5, 2), "valid")
    with pytest.raises(ValueError, match="mode is 'circular', wanted 'full', 'same' or 'valid'"):
        toeplitz(w, 5, "circular")
    with pytest.raises(ValueError, match="has 3 axes, the kernel has 2"):
        circulant(w, (5, 5, 5))
    with pytest.raises(ValueError, match="kernel of 3 does not fit an input of 1"):
        conv_matrix(w[None, None], (5, 1))


def test_worked_example_one_two_two() -> None:
    x, w = torch.tensor([1, 2, 2]), torch.tensor([1, -1])
    assert (toeplitz(w, 3).to_dense() @ x).tolist() == [1, 1, 0, -2]
    assert (circulant(w, 3).to_dense() @ x).tolist() == [-1, 1, 0]


def test_worked_example_vertical_edges() -> None:
    image = torch.tensor(
        [[3, 0, 1, 2, 4, 7], [1, 5, 8, 9, 3, 1], [2, 7, 2, 5, 1, 3],
         [0, 1, 3, 1, 7, 8], [4, 2, 1, 6, 2, 8], [2, 4, 5, 2, 3, 9]]
    ).double()  # fmt: skip
    kernel = torch.tensor([[1, 0, -1]] * 3).double()
    wanted = [[-5, -4, 3, 5], [-10, -2, 2, 3], [0, -2, -4, -7], [-3, -2, -3, -16]]
    y = conv_matrix(kernel[None, None], 6) @ image.flatten()
    assert y.reshape(4, 4).tolist() == wanted
    assert F.conv2d(image[None, None], kernel[None, None])[0, 0].tolist() == wanted
