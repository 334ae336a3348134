"""Pools that encode, against loops over what they stand for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from netwright.layers import CompactBilinearPool, OrderlessPool, PCAPool


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_compact_bilinear_sketches_the_outer_product() -> None:
    x = noise(2, 5, 3, 4)
    layer = CompactBilinearPool(5, 7, torch.Generator().manual_seed(1)).double()
    gram = torch.einsum("nchw,ndhw->ncd", x, x)
    wanted = torch.zeros(2, 7, dtype=torch.float64)
    for c in range(5):
        for d in range(5):
            at = (layer.place[0, c] + layer.place[1, d]) % 7
            wanted[:, at] += layer.sign[0, c] * layer.sign[1, d] * gram[:, c, d]
    torch.testing.assert_close(layer(x), wanted)


def test_compact_bilinear_keeps_inner_products_on_average() -> None:
    """The kernel <x, y>^2, over many sketches, within four standard errors."""
    x, y = noise(1, 6, 1, seed=2), noise(1, 6, 1, seed=3) + noise(1, 6, 1, seed=2)
    exact = ((x * y).sum() ** 2).item()
    generator = torch.Generator().manual_seed(4)
    found = np.empty(2000)
    for i in range(len(found)):
        layer = CompactBilinearPool(6, 16, generator).double()
        found[i] = (layer(x) * layer(y)).sum().item()
    error = found.std(ddof=1) / len(found) ** 0.5
    assert error < 0.1 * exact
    assert abs(found.mean() - exact) < 4 * error


def test_orderless_is_a_sum_over_windows() -> None:
    x = noise(2, 4, 5, 6)
    layer = OrderlessPool(4, 3, (3, 2), sigma=0.7).double()
    y = layer(x)
    for n in range(2):
        parts = [x[n].mean((1, 2))]
        for size, centres in zip((3, 2), layer.centres, strict=True):
            code = torch.zeros(3, 4, dtype=torch.float64)
            for i in range(6 - size):
                for j in range(7 - size):
                    d = x[n, :, i : i + size, j : j + size].mean((1, 2))
                    near = torch.exp(-(d - centres).square().sum(1) / (2 * 0.7**2))
                    code += (near / near.sum())[:, None] * (d - centres)
            parts.append(code.flatten())
        torch.testing.assert_close(y[n], torch.cat([part / part.norm() for part in parts]))


def test_orderless_finds_the_clusters() -> None:
    truth = torch.eye(4, dtype=torch.float64)[:3] * 10
    kinds = torch.arange(60) % 3
    x = (truth[kinds] + 0.01 * noise(60, 4))[..., None, None]
    layer = OrderlessPool(4, 3, (1,)).double()
    best = min(_distance(layer, x, truth, torch.Generator().manual_seed(seed)) for seed in range(5))
    assert best < 0.05
    before = layer.centres.clone()
    layer.fit(x, generator=torch.Generator().manual_seed(4))
    assert torch.equal(before, layer.centres)
    with pytest.raises(ValueError, match="3 centres need as many windows, got 2"):
        layer.fit(x[:2])


def _distance(layer, x, truth, generator) -> float:
    layer.fit(x, generator=generator)
    return torch.cdist(truth, layer.centres[0]).amin(1).max().item()


def test_pca_finds_principal_components() -> None:
    x = noise(3, 2, 8, 7).cumsum(-1)
    layer = PCAPool(2, 4, (3, 2), (1, 1), ((0, 0), (0, 0))).double()
    layer.fit(x)
    kernels = layer.weight.flatten(1)
    torch.testing.assert_close(kernels @ kernels.T, torch.eye(4, dtype=torch.float64))
    torch.testing.assert_close(kernels.sum(1), torch.zeros(4, dtype=torch.float64))
    rows = [
        x[n, :, i : i + 3, j : j + 2].flatten().numpy()
        for n in range(3)
        for i in range(6)
        for j in range(6)
    ]
    patches = np.stack(rows) - np.mean(rows, 1, keepdims=True)
    both = PCA(4, svd_solver="full").fit(np.concatenate([patches, -patches]))  # centred at 0
    alike = np.abs(both.components_ @ kernels.numpy().T)
    np.testing.assert_allclose(alike, np.eye(4), atol=1e-8)
    projected = layer(x).flatten(2).transpose(1, 2).flatten(0, 1)
    torch.testing.assert_close(projected, torch.from_numpy(np.stack(rows)) @ kernels.T)
