"""Blur pooling against SciPy, and what it does to shifts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor, nn

import netwright as nw
from netwright.core.net import Net
from netwright.layers import (
    BlurPool,
    GlobalAvgPool,
    LpPool,
    MedianPool,
    MinPool,
    MixedPool,
    RankAvgPool,
    shift_agreement,
    shift_similarity,
)


@pytest.mark.parametrize(("border", "mode"), [
    ("reflect", "mirror"), ("zeros", "constant"), ("replicate", "nearest"),
    ("symmetric", "reflect"), ("circular", "grid-wrap")])  # fmt: skip
@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_blur_is_a_correlation(border: str, mode: str, size: int) -> None:
    row = np.poly1d([1, 1]) ** (size - 1)
    x = np.random.default_rng(0).normal(size=(11, 8))
    y = BlurPool(size, 2, border).double()(torch.from_numpy(x)[None, None])
    origin = 0 if size % 2 else -1
    for axis in (0, 1):
        x = ndimage.correlate1d(x, row.coeffs / 2 ** (size - 1), axis, mode=mode, origin=origin)
    np.testing.assert_allclose(y[0, 0], x[::2, ::2])


def test_a_constant_stays_and_the_finest_wave_goes() -> None:
    x = torch.ones(1, 2, 9, 8)
    torch.testing.assert_close(BlurPool()(x), torch.ones(1, 2, 5, 4))
    wave = torch.tensor([1.0, -1.0]).repeat(4).expand(1, 1, 8, 8)
    assert BlurPool()(wave).abs().max() < 1e-6


def image(seed: int = 0) -> Tensor:
    """Blobs, as images have them: noise that is smooth over a few pixels."""
    noise = np.random.default_rng(seed).normal(size=(4, 3, 32, 32))
    smooth = ndimage.gaussian_filter(noise, (0, 0, 1, 1), mode="grid-wrap")
    return torch.from_numpy(smooth).float()


def test_shifts_matter_less_after_a_blur() -> None:
    x = image()
    max_blur = nn.Sequential(nn.MaxPool2d(2, 1), BlurPool())
    pools = {"max": nn.MaxPool2d(2), "max, blurred": max_blur, "average": nn.AvgPool2d(2),
             "median": MedianPool(2), "mixed": MixedPool(2), "min": MinPool(2), "norm": LpPool(2),
             "top": RankAvgPool(2, top=2)}  # fmt: skip
    alike = {name: shift_similarity(pool, x) for name, pool in pools.items()}
    assert alike["max, blurred"] > alike["max"]
    assert all(0 < value < 1 for value in alike.values())


def test_a_global_pool_does_not_see_shifts() -> None:
    x = image()
    assert shift_similarity(GlobalAvgPool(), x) == pytest.approx(1)
    assert shift_agreement(GlobalAvgPool(), x, reach=2) == 1
    assert shift_similarity(nn.Identity(), x) < 0.95


def test_agreement_counts_images_and_shifts() -> None:
    """The class is the column of the only bright pixel: it stays for shifts along columns."""
    x = torch.zeros(1, 1, 5, 5)
    x[0, 0, 2, 2] = 1
    assert shift_agreement(lambda x: x.sum((1, 2)), x) == 2 / 8


def test_max_blur_is_the_papers_order() -> None:
    net = Net(nw.MaxBlurPool(3, padding=1), (8, 15, 12))
    plan = net.plan()
    assert [row.path for row in plan.rows] == ["max", "blur"]
    assert plan.output == (8, 8, 6)
    x = torch.randn(2, 8, 15, 12)
    wanted = BlurPool()(nn.functional.max_pool2d(x, 3, 1, 1))
    torch.testing.assert_close(net.build()(x), wanted)
    assert plan.row("blur").field.size == (5, 5)
