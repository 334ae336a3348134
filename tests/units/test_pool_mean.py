"""Pools between mean and maximum against PyTorch, SciPy and their formulas."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest
import torch
from scipy import ndimage, stats
from torch import nn
from torch.nn import functional as F

import netwright as nw
from netwright.layers import (
    GatedPool,
    GeM,
    GlobalMaxPool,
    LpPool,
    Maxout,
    MixedPool,
    RowMaxPool,
    SpatialPyramidPool,
    WeightedPool,
)
from netwright.layers.windows import mean_pool


def test_lp_is_pytorchs() -> None:
    x = torch.randn(2, 3, 9, 8)
    torch.testing.assert_close(LpPool(3, 2)(x), nn.LPPool2d(2, 3, 2)(x))
    torch.testing.assert_close(LpPool(3, 2, p=3)(x.abs()), nn.LPPool2d(3, 3, 2)(x.abs()))
    torch.testing.assert_close(LpPool(4, p=4)(x[0]), nn.LPPool1d(4, 4)(x[0]))


def test_lp_goes_from_sum_to_max() -> None:
    x = torch.rand(2, 3, 9, 8, dtype=torch.float64)
    torch.testing.assert_close(LpPool(3, 2, p=1)(x), nn.AvgPool2d(3, 2)(x) * 9)
    torch.testing.assert_close(LpPool(3, 2, p=400)(x), nn.MaxPool2d(3, 2)(x), rtol=0.01, atol=0)


def test_lp_with_what_hangs_over_is_a_generic_filter() -> None:
    x = np.random.default_rng(0).normal(size=(8, 8))
    y = LpPool(3, 2, ceil_mode=True, p=3)(torch.from_numpy(x)[None, None])
    norm = ndimage.generic_filter(x, lambda v: (abs(v) ** 3).sum() ** (1 / 3), 3, mode="constant")
    np.testing.assert_allclose(y[0, 0], norm[1::2, 1::2])


def test_lp_below_one_leaves_zeros_without_a_gradient_and_shows_nan() -> None:
    x = torch.tensor([[[0.0, 4.0, 0.0, 0.0, 1.0, 4.0]]], requires_grad=True)
    y = LpPool(2, p=0.5)(x)
    y.sum().backward()
    torch.testing.assert_close(y.detach(), torch.tensor([[[4.0, 0.0, 9.0]]]))
    torch.testing.assert_close(x.grad, torch.tensor([[[0.0, 1.0, 0.0, 0.0, 3.0, 1.5]]]))
    assert LpPool(2, p=3)(torch.tensor([[[float("nan"), 1.0]]])).isnan().all()


@pytest.mark.parametrize("p", [1.001, 2, 800.0])
def test_lp_learns_from_any_power(p: float) -> None:
    x = torch.rand(1, 1, 4, 4, dtype=torch.float64)
    learned = LpPool(2, p=p, learned=True).double()
    torch.testing.assert_close(learned(x).detach(), LpPool(2, p=p)(x))


def test_lp_learns_from_its_start_and_not_from_zeros() -> None:
    pool, x = LpPool(2, p=2.5, learned=True), torch.zeros(1, 1, 4, 4, requires_grad=True)
    torch.testing.assert_close(pool(x + 1).detach(), LpPool(2, p=2.5)(x.detach() + 1))
    y = pool(x)
    y.sum().backward()
    assert y.abs().max() == 0
    assert torch.isfinite(x.grad).all()
    assert torch.isfinite(pool.rho.grad)


@pytest.mark.parametrize("shape", [(2, 3, 9), (2, 3, 9, 8), (2, 3, 5, 6, 7)])
def test_sums_keep_their_precision_under_autocast(shape: tuple[int, ...]) -> None:
    x, pool = torch.rand(shape), LpPool(2, p=1)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(pool(x), pool.mean(x) * 2 ** (len(shape) - 2))


@pytest.mark.parametrize("learned", [False, True])
def test_lp_of_half_precision_is_as_exact_as_its_output(learned: bool) -> None:
    x = 5 * torch.randn(2, 3, 8, 8)
    wanted = LpPool(2, p=8)(x.half().float())
    y = LpPool(2, p=8, learned=learned)(x.half())
    assert y.dtype == torch.float16
    torch.testing.assert_close(y.float(), wanted, rtol=1e-3, atol=0)


def test_lp_has_second_gradients_at_zeros() -> None:
    x = torch.tensor([[[0.0, 2.0, 0.0, 0.0]]], requires_grad=True)
    for pool in (LpPool(2, p=1.5), LpPool(2, p=1.5, learned=True)):
        (slope,) = torch.autograd.grad(pool(x).sum(), x, create_graph=True)
        assert torch.autograd.grad(slope.sum(), x)[0].isfinite().all()


def test_weighted_is_a_correlation() -> None:
    weights = np.random.default_rng(0).random((3, 3))
    x = np.random.default_rng(1).normal(size=(9, 8))
    pool = WeightedPool((3, 3), 1, 1, weights=tuple(weights.ravel())).double()
    wanted = ndimage.correlate(x, weights / weights.sum(), mode="constant")
    np.testing.assert_allclose(pool(torch.from_numpy(x)[None, None])[0, 0], wanted, rtol=1e-5)


def test_weighted_starts_as_the_average_and_stays_a_mean() -> None:
    x, pool = torch.rand(2, 3, 9, 8), WeightedPool((3, 3), 2)
    torch.testing.assert_close(pool(x), nn.AvgPool2d(3, 2)(x))
    nn.init.normal_(pool.scores)
    torch.testing.assert_close(pool(torch.ones_like(x)), torch.ones(2, 3, 4, 3))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_mixed_lies_between(share: float) -> None:
    x = torch.randn(2, 3, 9, 8)
    wanted = share * nn.MaxPool2d(3, 2, 1)(x) + (1 - share) * nn.AvgPool2d(3, 2, 1)(x)
    torch.testing.assert_close(MixedPool(3, 2, 1, share=share)(x), wanted)
    if 0 < share < 1:
        torch.testing.assert_close(MixedPool(3, 2, 1, share=share, mix="learned")(x), wanted)


def test_mixed_at_random_draws_maxima_and_means() -> None:
    x = torch.randn(50, 40, 2, 2)
    pool = MixedPool(2, share=0.3, mix="random")
    pool.generator = torch.Generator().manual_seed(0)
    y = pool(x)
    is_max = torch.isclose(y, F.max_pool2d(x, 2), atol=1e-6)
    assert (is_max | torch.isclose(y, F.avg_pool2d(x, 2), atol=1e-6)).all()
    count = int(is_max.sum())
    assert stats.chisquare([count, 2000 - count], [600, 1400]).pvalue > 0.01
    pool.generator.manual_seed(0)
    torch.testing.assert_close(pool(x), y, rtol=0, atol=0)
    pool.eval()
    torch.testing.assert_close(pool(x), MixedPool(2, share=0.3)(x))


def test_gated_is_its_formula() -> None:
    x, pool = torch.randn(2, 3, 9, 8), GatedPool((3, 3), 2)
    torch.testing.assert_close(pool(x), MixedPool(3, 2)(x))
    nn.init.normal_(pool.gate)
    parts = x.unfold(2, 3, 2).unfold(3, 3, 2).flatten(4)
    share = (parts * pool.gate).sum(-1).sigmoid()
    torch.testing.assert_close(pool(x), share * parts.amax(-1) + (1 - share) * parts.mean(-1))


def test_gem_goes_from_mean_to_max() -> None:
    x = torch.rand(2, 3, 5, 4, dtype=torch.float64)
    torch.testing.assert_close(GeM(1.0)(x), x.mean((2, 3)))
    torch.testing.assert_close(GeM(300.0)(x), x.amax((2, 3)), rtol=0.02, atol=0)
    torch.testing.assert_close(GeM(2.0)(x), x.square().mean((2, 3)).sqrt())
    torch.testing.assert_close(GeM(3.0)(-x), torch.full((2, 3), 1e-6, dtype=torch.float64))


def test_gem_of_any_power_stays_finite_and_has_a_gradient() -> None:
    x = torch.full((1, 2, 2, 2), -1.0)
    x[0, 1] = 100
    x.requires_grad_()
    pool = GeM(40.0)
    y = pool(x)
    y.sum().backward()
    torch.testing.assert_close(y.detach(), torch.tensor([[1e-6, 100.0]]))
    torch.testing.assert_close(x.grad[0, 1], torch.full((2, 2), 0.25))
    assert x.grad[0, 0].abs().max() == 0
    assert torch.isfinite(pool.p.grad)


def test_whole_axes() -> None:
    x = torch.randn(2, 6, 5, 4)
    torch.testing.assert_close(GlobalMaxPool(keep=True)(x), nn.AdaptiveMaxPool2d(1)(x))
    torch.testing.assert_close(Maxout(3)(x), torch.stack([x[:, :3], x[:, 3:]], 1).amax(2))
    rows = RowMaxPool()(x)
    torch.testing.assert_close(RowMaxPool()(x.roll(3, -1)), rows)
    assert rows[1, 2, 3] == x[1, 2, 3].max()


@pytest.mark.parametrize("size", [(13, 13), (7, 10), (4, 4), (3, 2)])
def test_pyramids_have_one_length(size: tuple[int, int]) -> None:
    """Cells as He et al. cut them: floor(i H / n) to ceil((i + 1) H / n)."""
    x, sizes = torch.randn(1, 2, *size), (4, 2, 1)
    y = SpatialPyramidPool(sizes)(x)
    wanted: list[torch.Tensor] = []
    for n in sizes:
        cuts = [[(i * m // n, -(-(i + 1) * m // n)) for i in range(n)] for m in size]
        wanted += [x[0, c, a:b, d:e].max() for c in range(2) for a, b in cuts[0]
                   for d, e in cuts[1]]  # fmt: skip
    torch.testing.assert_close(y[0], torch.stack(wanted))
    assert nw.SpatialPyramidPool(sizes).shape((2, *size)) == (42,)


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("count", [False, True])
def test_small_volumes_are_averaged_as_large_ones(ceil: bool, count: bool) -> None:
    """PyTorch averages no volume smaller than its window; a larger one with the same windows at
    its corner says what is right."""
    x = torch.rand(2, 3, 4, 2, 5)
    y = mean_pool(x, 3, 2, 1, ceil, count)
    wanted = torch.zeros_like(y)
    for at in product(*map(range, y.shape[2:])):
        box = [
            slice(max(i * 2 - 1, 0), min(i * 2 + 2, n))
            for i, n in zip(at, x.shape[2:], strict=True)
        ]
        reach = [min(i * 2 + 2, n + 1) - (i * 2 - 1) for i, n in zip(at, x.shape[2:], strict=True)]
        seen = x[(..., *box)]
        divisor = prod(reach) if count else prod(seen.shape[2:])
        wanted[(..., *at)] = seen.sum((2, 3, 4)) / divisor
    torch.testing.assert_close(y, wanted)
    large = torch.rand(1, 2, 5, 6, 7)
    plain = F.avg_pool3d(large, 3, 2, 1, ceil, count)
    torch.testing.assert_close(mean_pool(large, 3, 2, 1, ceil, count), plain)


def test_a_ceil_that_only_zeros_would_see_is_no_position() -> None:
    unit = nw.AvgPool(2, padding="same", ceil=True)
    x = torch.rand(2, 8, 11, 2)
    y = unit.module(x.shape[1:])(x)
    assert y.shape[1:] == unit.shape(x.shape[1:]) == (8, 6, 1)
    wanted = F.avg_pool2d(F.pad(x, (0, 0, 0, 1)), 2)
    torch.testing.assert_close(y, wanted)
