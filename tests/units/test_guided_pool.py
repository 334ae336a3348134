"""Guided pools against loops, SciPy and PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch.nn import functional as F

from netwright.layers import EdgePyramidPool, PixelPyramidPool, SuperpixelPool


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_superpixels_are_scipys_labels(mode: str) -> None:
    x = noise(2, 3, 7, 6) - 3  # a maximum below zero is not taken for an empty one
    labels = torch.arange(42).view(7, 6).div(5, rounding_mode="floor").expand(2, 7, 6).clone()
    labels[1] = labels[1].flip(0)
    y = SuperpixelPool(11, mode)(x, labels)
    measure = ndimage.mean if mode == "mean" else ndimage.maximum
    for n in range(2):
        for c in range(3):
            wanted = measure(x[n, c].numpy(), labels[n].numpy(), range(9))
            np.testing.assert_allclose(y[n, c, :9].numpy(), wanted)
    assert (y[:, :, 9:] == 0).all()


def test_edge_pyramid_of_flat_cells_is_a_pyramid() -> None:
    x = noise(2, 3, 8, 6)
    y = EdgePyramidPool((1, 2), scale=1e6)(x)
    whole, grid = F.adaptive_avg_pool2d(x, 1), F.adaptive_avg_pool2d(x, 2)
    spread = grid.repeat_interleave(4, 2).repeat_interleave(3, 3)
    torch.testing.assert_close(y, torch.cat([x, whole.expand_as(x), spread], 1))


def test_edge_pyramid_is_a_loop() -> None:
    x = noise(1, 2, 5, 7)
    layer = EdgePyramidPool((3,), scale=0.8)
    weight = torch.zeros(5, 7, dtype=torch.float64)
    for i in range(5):
        for j in range(7):
            for di, dj in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                if 0 <= i + di < 5 and 0 <= j + dj < 7:
                    weight[i, j] += (x[0, :, i, j] - x[0, :, i + di, j + dj]).square().mean()
    weight = torch.exp(-weight / 0.8**2).clamp(min=1e-6)
    y = layer(x)[0, 2:]
    for i in range(5):
        for j in range(7):
            rows, columns = (
                slice(at * 3 // n * n // 3, -(-(at * 3 // n + 1) * n // 3))
                for at, n in ((i, 5), (j, 7))
            )
            w = weight[rows, columns]
            wanted = (x[0, :, rows, columns] * w).sum((1, 2)) / w.sum()
            torch.testing.assert_close(y[:, i, j], wanted)


def test_edge_pyramid_leaves_an_edge_out() -> None:
    x = torch.zeros(1, 1, 4, 9)
    x[..., 4] = 10  # a thin line
    y = EdgePyramidPool((1,))(x)[:, 1]
    assert y.max() < 1e-4
    assert F.adaptive_avg_pool2d(x, 1).item() > 1


@pytest.mark.parametrize("shape", [(2, 3, 9, 7), (2, 3, 11), (1, 2, 4, 5, 6)])
def test_pixel_pyramid_is_scipys_filters(shape: tuple[int, ...]) -> None:
    x = noise(*shape)
    y = PixelPyramidPool((5, 3, 1))(x)
    assert y.shape[1] == 3 * shape[1]
    for part, size in zip(y.chunk(3, 1), (5, 3, 1), strict=True):
        window = (1, 1) + (size,) * (len(shape) - 2)
        wanted = ndimage.maximum_filter(x.numpy(), window, mode="constant", cval=-np.inf)
        np.testing.assert_array_equal(part.numpy(), wanted)


def test_pixel_pyramid_means_are_cut_at_the_border() -> None:
    x = noise(2, 3, 9, 7)
    y = PixelPyramidPool((5, 3), "mean")(x)
    for part, size in zip(y.chunk(2, 1), (5, 3), strict=True):
        wanted = F.avg_pool2d(x, size, 1, size // 2, count_include_pad=False)
        torch.testing.assert_close(part, wanted)
